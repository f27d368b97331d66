import { randomBytes } from "node:crypto";
import type { Clock, Random } from "@octopii/interfaces";
import { openRaftNode, type RaftNode, type RaftNodeOptions } from "@octopii/raft";
import { emptyStateMachine, MemoryHub, MemoryLog, NoSnapshots } from "./memory-ports.js";
import { createTurnLoop } from "./turn-loop.js";

const scheduler = createTurnLoop();

const clock: Clock = { now: () => performance.now(), wallTime: () => Date.now() };

const random: Random = {
  uint32: () => randomBytes(4).readUInt32LE(),
  bytes: (length) => randomBytes(length),
  fork: () => random,
};

/** Three replicas on one thread: memory storage, memory network, empty state machine, turns without system calls. */
export interface Group {
  readonly leader: RaftNode<undefined>;
  close(): Promise<void>;
}

/** Opens a group and waits until its first node leads. */
export async function openGroup(options: RaftNodeOptions = {}): Promise<Group> {
  const ids = [1, 2, 3];
  const hub = new MemoryHub();
  const configuration = { voters: ids, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const nodes: RaftNode<undefined>[] = [];
  for (const id of ids) {
    const ports = {
      storage: new MemoryLog(),
      snapshots: new NoSnapshots(),
      network: hub.networkOf(id),
      stateMachine: emptyStateMachine,
      clock,
      scheduler,
      random,
    };
    nodes.push(await openRaftNode({ id, configuration }, ports, options));
  }
  const [leader] = nodes;
  if (leader === undefined) throw new Error("no node");
  leader.campaign();
  while (leader.leaderId !== 1 || leader.status().commitIndex === 0) await new Promise((next) => setImmediate(next));
  return {
    leader,
    close: async () => {
      for (const node of nodes) await node.close();
    },
  };
}

const command = new Uint8Array(0);

/** Keeps `inFlight` proposals on their way for `count` in all. @returns how many were done per second. */
export async function proposalsPerSecond(group: Group, inFlight: number, count: number): Promise<number> {
  const { leader } = group;
  let left = count - inFlight;
  const begun = performance.now();
  await new Promise<void>((resolve, reject) => {
    let open = inFlight;
    const next = (): void => {
      if (left-- > 0) leader.propose(command).then(next, reject);
      else if (--open === 0) resolve();
    };
    for (let i = 0; i < inFlight; i++) leader.propose(command).then(next, reject);
  });
  return (count * 1_000) / (performance.now() - begun);
}
