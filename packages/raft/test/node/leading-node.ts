import { createManualTime, createRandom } from "@octopii/testing";
import { expect } from "vitest";
import {
  type Entry,
  type HardState,
  type LogStorage,
  type Message,
  openRaftNode,
  type PeerNetwork,
  type PeerReceiver,
  type RaftNode,
  type SnapshotStorage,
  type StateMachine,
  type StoredLog,
} from "../../src/index.js";

/** Storage in memory. While it is held, what it is given waits. */
class Storage implements LogStorage {
  entries: Entry[] = [];
  hardState: HardState | null = null;
  held: (() => void)[] | null = null;

  load(): Promise<StoredLog> {
    return Promise.resolve({ hardState: null, compactedIndex: 0, lastIndex: 0, terms: [{ firstIndex: 0, term: 0 }] });
  }

  async append(_group: number, hardState: HardState | null, entries: readonly Entry[]): Promise<void> {
    if (this.held !== null) await new Promise<void>((resolve) => this.held?.push(resolve));
    const [first] = entries;
    if (first !== undefined) this.entries.splice(first.index - 1, Number.POSITIVE_INFINITY, ...entries);
    if (hardState !== null) this.hardState = hardState;
  }

  read(_group: number, from: number, to: number): Promise<readonly Entry[]> {
    return Promise.resolve(this.entries.slice(from - 1, to));
  }

  compact(): Promise<void> {
    return Promise.resolve();
  }

  install(): Promise<void> {
    return Promise.resolve();
  }

  release(): void {
    const held = this.held ?? [];
    this.held = null;
    for (const resolve of held) resolve();
  }
}

class Network implements PeerNetwork {
  receiver: PeerReceiver | null = null;

  send(): void {
    // Node 2 is what the test says that it says.
  }

  sendSnapshot(): Promise<void> {
    return Promise.reject(new Error("nobody needs one here"));
  }

  attach(_group: number, receiver: PeerReceiver): () => void {
    this.receiver = receiver;
    return () => undefined;
  }
}

/** Takes whatever it is given, and keeps nothing. */
const nowhere: SnapshotStorage = {
  list: () => Promise.resolve([]),
  create: () => Promise.resolve({ write: () => Promise.resolve(), commit: () => Promise.resolve(), abort: () => Promise.resolve() }),
  async *read() {
    yield await Promise.reject(new Error("there is nothing"));
  },
  removeBelow: () => Promise.resolve(),
};

/** A node that leads, and what its peer says to it. */
export interface LeadingNode {
  readonly node: RaftNode<null>;
  readonly storage: Storage;
  /** Lets milliseconds pass. */
  pass(milliseconds: number): Promise<void>;
  /** Node 2 says something. */
  hear(message: Message): void;
  /** Node 2 holds everything up to `index`. */
  acknowledge(index: number): void;
}

/** Node 1 of voters 1 and 2 leads term 1, with the founding entry applied. A tick is 10 ms. */
export async function leadingNode(snapshot?: StateMachine<null>["snapshot"]): Promise<LeadingNode> {
  const time = createManualTime();
  const storage = new Storage();
  const network = new Network();
  const apply = (commands: readonly Entry[]): null[] => commands.map(() => null);
  const stateMachine = snapshot === undefined ? { apply } : { apply, snapshot, restore: () => Promise.resolve() };
  const configuration = { voters: [1, 2], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const ports = {
    storage,
    snapshots: nowhere,
    network,
    stateMachine,
    clock: time.clock,
    scheduler: time.scheduler,
    random: createRandom(1),
  };
  const node = await openRaftNode<null>({ id: 1, configuration }, ports, { tickMs: 10, electionTicks: 100, preVote: false });
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed++) {
      time.advance(1);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  };
  const hear = (message: Message): void => network.receiver?.receive(2, [message]);
  const acknowledge = (index: number): void =>
    hear({ type: "AppendEntriesResponse", group: 0, from: 2, to: 1, term: 1, rejected: false, index, hintIndex: 0, hintTerm: 0 });
  node.campaign();
  await pass(2);
  hear({ type: "RequestVoteResponse", group: 0, from: 2, to: 1, term: 1, granted: true });
  await pass(2);
  acknowledge(1);
  await pass(2);
  expect(node.status()).toMatchObject({ role: "leader", appliedIndex: 1 });
  return { node, storage, pass, hear, acknowledge };
}
