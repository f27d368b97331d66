import { describe, expect, it } from "vitest";
import type { Message, RaftNode } from "../../src/index.js";
import { commandAt, GatedLog, GatedMachine, GatedSnapshots, type Lonely, oneChunk, openLonely } from "./ports.js";

const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
const head = { group: 0, from: 2, to: 1, term: 1 } as const;
const heartbeat = (commitIndex: number): Message => ({ type: "Heartbeat", ...head, commitIndex, readRound: 0 });
const offer = (index: number) => ({ type: "InstallSnapshot", ...head, snapshot: { index, term: 1, configuration } }) as const;

const appended = (from: number, to: number, leaderCommit: number): Message => {
  const entries = Array.from({ length: to - from + 1 }, (_, at) => commandAt(from + at));
  return { type: "AppendEntries", ...head, prevLogIndex: from - 1, prevLogTerm: from === 1 ? 0 : 1, entries, leaderCommit };
};

const parts = () => ({ log: new GatedLog(), snapshots: new GatedSnapshots(), machine: new GatedMachine() });

async function expectWorking({ node, receiver, pass }: Lonely, lastIndex: number): Promise<void> {
  receiver.receive(2, [appended(lastIndex + 1, lastIndex + 3, lastIndex + 3)]);
  await pass(5);
  receiver.receive(2, [heartbeat(lastIndex + 3)]);
  await pass(5);
  expect(node.stoppedBy).toBeNull();
  expect(node.status()).toMatchObject({ appliedIndex: lastIndex + 3 });
}

describe("a node and its peers", () => {
  it("takes a snapshot that replaces what it is just reading from its log to apply", async () => {
    const { log, snapshots, machine } = parts();
    log.log.write(Array.from({ length: 20 }, (_, at) => commandAt(at + 1)));
    log.hardState = { currentTerm: 1, votedFor: 0, commitIndex: 20 };
    machine.applying.isOpen = false;
    // A restart: all twenty come from storage, two at a time, and the leader has compacted far beyond them.
    const lonely = await openLonely({ log, snapshots, machine }, { applyBytesMax: 20 });
    await lonely.pass(5);
    const taken = lonely.receiver.receiveSnapshot(2, offer(50), oneChunk(50));
    await lonely.pass(5);
    await taken;
    expect(log.log.compactedIndex).toBe(50);
    machine.applying.open();
    await lonely.pass(10);
    expect(lonely.node.stoppedBy).toBeNull();
    expect(machine.count).toBe(50);
    await expectWorking(lonely, 50);
    await lonely.node.close();
  });

  it("keeps its own snapshot until the leader's, which takes its place, is installed", async () => {
    const { log, snapshots, machine } = parts();
    const lonely = await openLonely({ log, snapshots, machine }, { tailEntries: 2 });
    const { node, receiver, pass } = lonely;
    receiver.receive(2, [appended(1, 10, 10)]);
    await pass(10);
    const first = node.snapshot();
    await pass(10);
    expect(await first).toMatchObject({ index: 10 });
    expect(log.log.compactedIndex).toBe(8);
    receiver.receive(2, [appended(11, 20, 20)]);
    await pass(10);
    // The next own one is being written while the leader's comes in, and is done before that is installed.
    snapshots.creating.isOpen = false;
    const own = node.snapshot().catch(() => undefined);
    await pass(2);
    log.installing.isOpen = false;
    snapshots.creating.isOpen = true;
    await receiver.receiveSnapshot(2, offer(50), oneChunk(50));
    await pass(5);
    snapshots.creating.open();
    await pass(5);
    await own;
    expect(node.status().compactedIndex).toBe(50);
    // A crash now: the log is as it was, and needs a snapshot that reaches to where it begins.
    const usable = [...snapshots.stored.keys()].filter((index) => index >= log.log.compactedIndex && index <= log.log.lastIndex);
    expect(usable).not.toEqual([]);
    log.installing.open();
    await pass(5);
    await expectWorking(lonely, 50);
    await node.close();
  });

  it("tells the core of a leader's snapshot only when all of its data is stored", async () => {
    const { log, snapshots, machine } = parts();
    const { node, receiver, pass } = await openLonely({ log, snapshots, machine });
    receiver.receive(2, [appended(1, 3, 3)]);
    await pass(10);
    const broken = async function* (): AsyncIterable<Uint8Array> {
      yield Uint8Array.of(9);
      throw new Error("the connection broke");
    };
    await expect(receiver.receiveSnapshot(2, offer(50), broken())).rejects.toThrow("the connection broke");
    await pass(5);
    expect(node.status()).toMatchObject({ compactedIndex: 0, lastIndex: 3 });
    snapshots.creating.isOpen = false;
    const taken = receiver.receiveSnapshot(2, offer(50), oneChunk(50));
    await pass(5);
    expect(node.status()).toMatchObject({ compactedIndex: 0, lastIndex: 3 });
    snapshots.creating.open();
    await taken;
    await pass(5);
    expect(node.status()).toMatchObject({ compactedIndex: 50, appliedIndex: 50 });
    await node.close();
  });

  it("serves a read only when what the leader says it needs is applied", async () => {
    const { node, receiver, pass, sent } = await openLonely(parts());
    receiver.receive(2, [appended(1, 3, 3)]);
    await pass(10);
    let served: number | null = null;
    void node.readIndex().then((index) => {
      served = index;
    });
    await pass(5);
    const { requestId } = sent.find(({ type }) => type === "ReadIndex") as Extract<Message, { type: "ReadIndex" }>;
    receiver.receive(2, [{ type: "ReadIndexResponse", ...head, requestId, index: 5, refusal: null }]);
    await pass(5);
    expect(served).toBeNull();
    receiver.receive(2, [appended(4, 6, 4)]);
    await pass(5);
    expect(served).toBeNull();
    receiver.receive(2, [heartbeat(6)]);
    await pass(10);
    expect(served).toBe(5);
    await node.close();
  });

  it("believes an answer to proposals that it passed on only from whom it passed them to", async () => {
    const { node, receiver, pass, sent } = await openLonely(parts());
    receiver.receive(2, [appended(1, 3, 3)]);
    await pass(10);
    let outcome: unknown = null;
    void propose(node).then((result) => {
      outcome = result;
    });
    await pass(5);
    const { requestId } = sent.find(({ type }) => type === "ForwardProposals") as Extract<Message, { type: "ForwardProposals" }>;
    const answer = { type: "ForwardProposalsResponse", ...head, requestId, firstIndex: 4, entryTerm: 1 } as const;
    receiver.receive(3, [{ ...answer, from: 3, count: 0, refusal: "entryTooLarge" }]);
    await pass(5);
    expect(outcome).toBeNull();
    receiver.receive(2, [{ ...answer, count: 1, refusal: null }, appended(4, 4, 4)]);
    await pass(10);
    expect(outcome).toBe(4);
    await node.close();
  });

  it("bears an absurd answer to proposals that it passed on", async () => {
    const lonely = await openLonely(parts(), { requestTimeoutMs: 400 });
    const { node, receiver, pass, sent } = lonely;
    receiver.receive(2, [appended(1, 3, 3)]);
    await pass(10);
    const outcomes = [1, 2, 3].map(() => propose(node));
    const forwards = (): Extract<Message, { type: "ForwardProposals" }>[] =>
      sent.flatMap((message) => (message.type === "ForwardProposals" ? [message] : []));
    await pass(5);
    outcomes.push(propose(node));
    await pass(5);
    expect(forwards()).toHaveLength(2);
    const places = [4, 2 ** 52];
    for (const [at, { requestId }] of forwards().entries()) {
      const place = { requestId, count: 2 ** 31, firstIndex: places[at] ?? 0, entryTerm: 1, refusal: null };
      receiver.receive(2, [{ type: "ForwardProposalsResponse", ...head, ...place }]);
    }
    await pass(5);
    await expectWorking(lonely, 3);
    await pass(1000);
    expect(await Promise.all(outcomes)).toEqual([1, 2, 3, 4].map(() => expect.anything()));
    await node.close();
  });
});

const propose = (node: RaftNode<number>): Promise<unknown> =>
  node.propose(new Uint8Array(4)).catch((error: { code: string }) => error.code);
