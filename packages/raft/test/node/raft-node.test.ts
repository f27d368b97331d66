import { createManualTime, createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import {
  type Entry,
  type HardState,
  isRaftError,
  type LogStorage,
  type Message,
  openRaftNode,
  type PeerNetwork,
  type PeerReceiver,
  type RaftNode,
  type RaftNodeOptions,
  type StateMachine,
  type StoredLog,
} from "../../src/index.js";

/** Storage in memory whose writes the test completes, or fails. */
class TestStorage implements LogStorage {
  entries: Entry[] = [];
  hardState: HardState | null = null;
  appends = 0;
  failure: Error | null = null;
  /** While held, appends wait. */
  held: (() => void)[] | null = null;

  load(): Promise<StoredLog> {
    const terms = [{ firstIndex: 0, term: 0 }];
    for (const { index, term } of this.entries) if (term !== terms[terms.length - 1]?.term) terms.push({ firstIndex: index, term });
    return Promise.resolve({ hardState: this.hardState, compactedIndex: 0, lastIndex: this.entries.length, terms });
  }

  async append(_group: number, hardState: HardState | null, entries: readonly Entry[]): Promise<void> {
    this.appends++;
    if (this.held !== null) await new Promise<void>((resolve) => this.held?.push(resolve));
    if (this.failure !== null) throw this.failure;
    const first = entries[0];
    if (first !== undefined) this.entries.splice(first.index - 1, Number.POSITIVE_INFINITY, ...entries);
    if (hardState !== null) this.hardState = hardState;
  }

  read(_group: number, from: number, to: number): Promise<readonly Entry[]> {
    return Promise.resolve(this.entries.slice(from - 1, to));
  }

  compact(): Promise<void> {
    return Promise.reject(new Error("nothing is compacted here"));
  }

  install(): Promise<void> {
    return Promise.reject(new Error("nothing is installed here"));
  }
}

class TestNetwork implements PeerNetwork {
  readonly sent: Message[] = [];
  receiver: PeerReceiver | null = null;

  send(_to: number, messages: readonly Message[]): void {
    this.sent.push(...messages);
  }

  sendSnapshot(): Promise<void> {
    return Promise.reject(new Error("nobody is sent a snapshot here"));
  }

  attach(_group: number, receiver: PeerReceiver): () => void {
    this.receiver = receiver;
    return () => {
      this.receiver = null;
    };
  }
}

const text = (entry: Entry): string => new TextDecoder().decode(entry.data);
const bytes = (value: string): Uint8Array => new TextEncoder().encode(value);

interface Setup {
  readonly node: RaftNode<string>;
  readonly storage: TestStorage;
  readonly network: TestNetwork;
  /** Lets virtual time pass, promises included. */
  pass(milliseconds: number): Promise<void>;
}

async function setUp(
  voters: readonly number[],
  options: RaftNodeOptions = {},
  storage: TestStorage = new TestStorage(),
  stateMachine: StateMachine<string> = { apply: (commands) => commands.map((entry) => `did ${text(entry)}`) },
): Promise<Setup> {
  const time = createManualTime();
  const network = new TestNetwork();
  const configuration = { voters, votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
  const ports = { storage, network, stateMachine, clock: time.clock, scheduler: time.scheduler, random: createRandom(1) };
  const node = await openRaftNode<string>({ id: 1, configuration }, ports, { tickMs: 10, ...options });
  const pass = async (milliseconds: number): Promise<void> => {
    for (let passed = 0; passed < milliseconds; passed++) {
      time.advance(1);
      for (let i = 0; i < 20; i++) await Promise.resolve();
    }
  };
  return { node, storage, network, pass };
}

describe("RaftNode", () => {
  it("gives each proposer its own result, many at once", async () => {
    const { node, pass } = await setUp([1]);
    await pass(300);
    const results = Promise.all(["a", "b", "c"].map((command) => node.propose(bytes(command))));
    await pass(20);
    expect(await results).toEqual(["did a", "did b", "did c"]);
    await node.close();
  });

  it("writes a turn's proposals at once", async () => {
    const { node, storage, pass } = await setUp([1]);
    await pass(300);
    const before = storage.appends;
    const results = Promise.all(Array.from({ length: 100 }, (_, i) => node.propose(bytes(`${i}`))));
    await pass(20);
    expect(await results).toHaveLength(100);
    expect(storage.appends - before).toBe(1);
    await node.close();
  });

  it("refuses proposals when it does not lead and may not forward them, and says who does", async () => {
    const { node, network, pass } = await setUp([1, 2, 3], { forwardProposals: false });
    const heartbeat = { type: "Heartbeat", group: 0, from: 2, to: 1, term: 5, commitIndex: 0, readRound: 0 } as const;
    network.receiver?.receive(2, [heartbeat]);
    await pass(5);
    const refused = node.propose(bytes("x")).catch((error: unknown) => error);
    await pass(5);
    expect(await refused).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed", details: { leaderId: 2 } });
    await node.close();
  });

  it("drops messages that claim another sender than the network vouches for", async () => {
    const { node, network, pass } = await setUp([1, 2, 3]);
    network.receiver?.receive(3, [{ type: "Heartbeat", group: 0, from: 2, to: 1, term: 5, commitIndex: 0, readRound: 0 }]);
    await pass(5);
    expect(node.status()).toMatchObject({ currentTerm: 0, leaderId: 0 });
    await node.close();
  });

  it("applies what it knew committed right after a restart, before there is a leader", async () => {
    const storage = new TestStorage();
    const first = await setUp([1], {}, storage);
    await first.pass(300);
    const done = first.node.propose(bytes("kept"));
    await first.pass(20);
    await done;
    await first.node.close();
    expect(storage.hardState?.commitIndex).toBe(2);

    const applied: string[] = [];
    const machine: StateMachine<string> = { apply: (commands) => commands.map((entry) => String(applied.push(text(entry)))) };
    const second = await setUp([1, 2, 3], {}, storage, machine);
    await second.pass(5);
    expect(applied).toEqual(["kept"]);
    expect(second.node.status().role).toBe("follower");
    await second.node.close();
  });

  it("stops for good when storage fails, and promises nothing any more (RULE 4)", async () => {
    const { node, storage, pass } = await setUp([1]);
    await pass(300);
    storage.failure = new Error("EIO");
    const refused = node.propose(bytes("x")).catch((error: unknown) => error);
    await pass(20);
    expect(await refused).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "unknown", cause: storage.failure });
    expect(node.stoppedBy).toBe(storage.failure);
    await expect(node.propose(bytes("y"))).rejects.toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "failed" });
    await node.close();
  });

  it("stops before it counts a command as applied on which the state machine throws (RULE 9)", async () => {
    const machine: StateMachine<string> = {
      apply: () => {
        throw new Error("bug");
      },
    };
    const { node, pass } = await setUp([1], {}, new TestStorage(), machine);
    await pass(300);
    const refused = node.propose(bytes("poison")).catch((error: unknown) => error);
    await pass(20);
    expect(isRaftError(await refused, "OCTOPII_RAFT_STOPPED")).toBe(true);
    expect(node.status()).toMatchObject({ commitIndex: 2, appliedIndex: 1 });
    await node.close();
  });

  it("settles proposals whose place another leadership of its own has taken", async () => {
    const { node, network, pass } = await setUp([1, 2, 3], { preVote: false, checkQuorum: false });
    const envelope = { group: 0, from: 2, to: 1 } as const;
    const lead = async (): Promise<void> => {
      node.campaign();
      await pass(5);
      const term = node.status().currentTerm;
      network.receiver?.receive(2, [{ ...envelope, type: "RequestVoteResponse", term, granted: true }]);
      await pass(5);
      expect(node.status().role).toBe("leader");
    };
    const propose = (text: string): Promise<unknown> =>
      node.propose(bytes(text)).catch((error: { code: string; outcome: string }) => error);
    await lead();
    const first = ["a", "b", "c"].map(propose);
    await pass(5);
    // Another leader, one entry long, cuts everything off; then this node leads again and fills the same places.
    const term = node.status().currentTerm + 1;
    const noop = { index: 1, term, kind: "noop", data: new Uint8Array() } as const;
    network.receiver?.receive(2, [
      { ...envelope, type: "AppendEntries", term, prevLogIndex: 0, prevLogTerm: 0, entries: [noop], leaderCommit: 0 },
    ]);
    await pass(5);
    await lead();
    const second = ["d", "e", "f"].map(propose);
    await pass(5);
    await node.close();
    const outcomes = await Promise.all([...first, ...second]);
    expect(outcomes.slice(1, 3)).toMatchObject([
      { code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" },
      { code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" },
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject({ outcome: "unknown" });
  });

  it("times out with an open outcome when no quorum answers, and settles everything on close", async () => {
    const { node, storage, pass } = await setUp([1]);
    await pass(300);
    storage.held = [];
    const late = node.propose(bytes("x"), { timeoutMs: 50 }).catch((error: unknown) => error);
    const pending = node.propose(bytes("y")).catch((error: unknown) => error);
    await pass(100);
    expect(await late).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT", outcome: "unknown" });
    await node.close();
    expect(await pending).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "unknown" });
  });

  it("rejects with the signal's reason, and refuses to open a log that lost committed entries", async () => {
    const { node, pass } = await setUp([1]);
    const abort = new AbortController();
    const cancelled = node.readIndex({ signal: abort.signal }).catch((error: unknown) => error);
    abort.abort("enough");
    expect(await cancelled).toBe("enough");
    await pass(1);
    await node.close();

    const storage = new TestStorage();
    storage.hardState = { currentTerm: 3, votedFor: 1, commitIndex: 9 };
    await expect(setUp([1], {}, storage)).rejects.toThrow(/ends at 0, but entry 9 was committed/);
  });
});
