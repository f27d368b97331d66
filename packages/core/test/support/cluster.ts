import { createSimulation, type SimulatedProcess, type World } from "@octopii/testing";
import {
  createNode,
  type KeyValueStore,
  keyValueStore,
  type Node,
  type NodeEvent,
  type NodeOptions,
  type StateMachine,
} from "../../src/index.js";

export const members = [1, 2, 3].map((id) => ({ id, address: `n${id}:7000` }));
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
export const text = (value: Uint8Array | null): string | null => (value === null ? null : new TextDecoder().decode(value));

/** A running cluster. */
export interface Started {
  readonly world: World;
  readonly nodes: Node[];
  readonly events: NodeEvent[][];
  leader(): Node;
  follower(): Node;
}

export function nodeIn(
  process: SimulatedProcess,
  id: number,
  stateMachine: StateMachine,
  events: NodeEvent[] = [],
  tuning: Partial<NodeOptions> = {},
): Node {
  const { clock, scheduler, random, fileSystem, transport } = process;
  const options = { id, cluster: "test", directory: "/data", members, tickMs: 20, ...tuning };
  return createNode(options, { stateMachine, clock, scheduler, random, fileSystem, transport, onEvent: (event) => events.push(event) });
}

export const identityOf = (id: number) => ({ identity: { name: `n${id}`, cluster: "test", nodeId: id } });

/** A cluster of three in which a leader is known to all. */
export async function start(
  seed: number,
  makeStateMachine: () => StateMachine = keyValueStore,
  tuning: Partial<NodeOptions> = {},
): Promise<Started> {
  const world = createSimulation({ seed, transport: { idleTimeoutMs: 1_000 } });
  const events: NodeEvent[][] = [[], [], []];
  const nodes = members.map(({ id }, i) => nodeIn(world.process(`n${id}`, identityOf(id)), id, makeStateMachine(), events[i], tuning));
  await world.runUntilSettled(Promise.all(nodes.map((node) => node.start())));
  const leader = (): Node | undefined => nodes.find((node) => node.status().role === "leader");
  await world.runUntil(() => leader() !== undefined && nodes.every((node) => node.status().leaderId !== 0));
  const expectNode = (node: Node | undefined): Node => {
    if (node === undefined) throw new Error("no such node");
    return node;
  };
  return {
    world,
    nodes,
    events,
    leader: () => expectNode(leader()),
    follower: () => expectNode(nodes.find((node) => node.status().role === "follower")),
  };
}

/** A node of none of the founders, on a machine of its own; not started yet. */
export function joining({ world }: Started, id: number, tuning: Partial<NodeOptions> = {}): { node: Node; store: KeyValueStore } {
  const store = keyValueStore();
  const own = { id, address: `n${id}:7000` };
  return { node: nodeIn(world.process(`n${id}`, identityOf(id)), id, store, [], { members: [own], join: true, ...tuning }), store };
}
