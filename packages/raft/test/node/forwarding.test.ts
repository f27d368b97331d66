import { describe, expect, it } from "vitest";
import type { ForwardProposals, PeerReceiver } from "../../src/index.js";
import { FakePeer, Group, outcomeOf, set } from "./group.js";

const forwardsOf = (peer: FakePeer): ForwardProposals[] => peer.heard("ForwardProposals");

/** Node 1, whose leader is played by the test. */
async function ledByTest(options = {}): Promise<{ group: Group; leader: FakePeer; heartbeat: () => void }> {
  const group = new Group({ options });
  const leader = new FakePeer(2, group.hub);
  await group.start(1);
  const heartbeat = (): void => leader.say({ type: "Heartbeat", group: 0, from: 2, to: 1, term: 5, commitIndex: 0, readRound: 0 });
  heartbeat();
  await group.pass(2);
  return { group, leader, heartbeat };
}

describe("a proposal on a follower", () => {
  it("goes to the leader, and gives the result of the follower's own state machine", async () => {
    const group = await Group.open({
      ports: (id, { stateMachine }) => ({
        stateMachine: { apply: async (commands) => (await stateMachine.apply(commands)).map((result) => `${result} by ${id}`) },
      }),
    });
    await group.elect(1);
    expect(await group.settled(group.member(2).node.propose(set("a", "1")))).toBe("null by 2");
    expect(await group.settled(group.member(3).node.propose(set("a", "2")))).toBe("1 by 3");
    expect(await group.settled(group.member(1).node.propose(set("a", "3")))).toBe("2 by 1");
    await group.close();
  });

  it("keeps the order of the calls, in one message per turn", async () => {
    const group = await Group.open();
    await group.elect(1);
    const { node, sent } = group.member(2);
    sent.length = 0;
    const results = Promise.all(["1", "2", "3", "4"].map((value) => node.propose(set("a", value))));
    await group.pass(1);
    const forwarded = sent.flatMap(({ messages }) => messages.filter(({ type }) => type === "ForwardProposals"));
    expect(forwarded).toHaveLength(1);
    expect(await group.settled(results)).toEqual([null, "1", "2", "3"]);
    await group.close();
  });

  it("is refused with NOT_LEADER while nobody leads", async () => {
    const group = await Group.open();
    const refused = await group.settled(outcomeOf(group.member(1).node.propose(set("a"))));
    expect(refused).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed", details: { leaderId: 0 } });
    await group.close();
  });

  it("that was given up before its turn is never sent", async () => {
    const { group, leader } = await ledByTest();
    const abort = new AbortController();
    const given = outcomeOf(group.member(1).node.propose(set("a"), { signal: abort.signal }));
    abort.abort("enough");
    await group.pass(5);
    expect(await given).toBe("enough");
    expect(forwardsOf(leader)).toEqual([]);
    await group.close();
  });
});

describe("what the leader refuses", () => {
  it("comes back with the leader's reason, and what it took before stands", async () => {
    const group = new Group({ voters: [1, 2] });
    // A command costs 256 bytes beside its data.
    await group.start(1, { entryBytesMax: 100, uncommittedBytesMax: 800 });
    await group.start(2);
    await group.elect(1);
    const { node } = group.member(2);
    const small = set("a", "1");
    const outcomes = await group.settled(
      Promise.all([small, small, set("b", "x".repeat(100)), small].map((command) => outcomeOf(node.propose(command)))),
    );
    expect(outcomes.slice(0, 2)).toEqual([null, "1"]);
    expect(outcomes.slice(2)).toMatchObject([
      { code: "OCTOPII_RAFT_ENTRY_TOO_LARGE", outcome: "failed" },
      { code: "OCTOPII_RAFT_ENTRY_TOO_LARGE", outcome: "failed" },
    ]);
    const many = await group.settled(Promise.all([small, small, small, small].map((command) => outcomeOf(node.propose(command)))));
    expect(many.slice(0, 2)).toEqual(["1", "1"]);
    expect(many[3]).toMatchObject({ code: "OCTOPII_RAFT_BUSY", outcome: "failed" });
    await group.close();
  });

  it("is TRANSFERRING while it hands leadership over", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    group.hub.cut(1, 3);
    const transfer = outcomeOf(leader.node.transferLeadership(3));
    await group.pass(2);
    const refused = await group.settled(outcomeOf(group.member(2).node.propose(set("a"))));
    expect(refused).toMatchObject({ code: "OCTOPII_RAFT_TRANSFERRING", outcome: "failed" });
    await group.settled(transfer);
    await group.close();
  });

  it("is BUSY while more waits for its turn than its queue takes", async () => {
    const group = new Group({});
    await group.start(1, { queuedProposalsMax: 10 });
    await group.start(2);
    await group.start(3);
    await group.elect(1);
    const asked = [2, 3].map((id) =>
      Promise.all(Array.from({ length: 6 }, (_, at) => outcomeOf(group.member(id).node.propose(set(`${id} ${at}`))))),
    );
    const [first, second] = await group.settled(Promise.all(asked));
    expect(first).toEqual([null, null, null, null, null, null]);
    for (const outcome of second ?? []) expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_BUSY", outcome: "failed" });
    expect(second).toHaveLength(6);
    await group.close();
  });

  it("because it leads no more says nothing of who does", async () => {
    const { group, leader } = await ledByTest();
    const refused = outcomeOf(group.member(1).node.propose(set("a")));
    await group.pass(2);
    const requestId = forwardsOf(leader)[0]?.requestId ?? 0;
    const head = { type: "ForwardProposalsResponse", group: 0, from: 2, to: 1, term: 5, requestId } as const;
    leader.say({ ...head, count: 0, firstIndex: 0, entryTerm: 0, refusal: "notLeader" });
    await group.pass(2);
    expect(await refused).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed", details: { leaderId: 0 } });
    await group.close();
  });
});

describe("a forwarded proposal in doubt", () => {
  it("is LEADERSHIP_LOST when another leads before the answer came, and may have been committed", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    leader.mayPass = ({ type }) => type !== "ForwardProposalsResponse";
    const lost = outcomeOf(group.member(2).node.propose(set("a")));
    await group.pass(10);
    await group.settled(outcomeOf(leader.node.transferLeadership(3)));
    expect(await group.settled(lost)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" });
    expect(group.member(2).machine.get("a")).toBe("a");
    await group.close();
  });

  it.each([
    [
      "a candidate of a later term asks for its vote",
      { type: "RequestVote", from: 3, lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: true },
    ],
    ["the same leader leads a later term", { type: "Heartbeat", from: 2, commitIndex: 0, readRound: 0 }],
  ] as const)("is LEADERSHIP_LOST as soon as %s: nobody answers it any more", async (_what, message) => {
    const { group } = await ledByTest();
    const lost = outcomeOf(group.member(1).node.propose(set("a")));
    await group.pass(2);
    new FakePeer(message.from, group.hub).say({ group: 0, to: 1, term: 6, ...message });
    expect(await group.settled(lost, 5)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" });
    await group.close();
  });

  it("ends at its deadline when the question or the answer is lost", async () => {
    const group = await Group.open();
    const leader = await group.elect(1);
    const { node } = group.member(2);
    for (const lossy of [leader, group.member(2)]) {
      lossy.mayPass = ({ type }) => type !== "ForwardProposalsResponse" && type !== "ForwardProposals";
      const lost = await group.settled(outcomeOf(node.propose(set("a"), { timeoutMs: 50 })));
      expect(lost).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT", outcome: "unknown" });
      lossy.mayPass = () => true;
    }
    expect(await group.settled(node.propose(set("a", "2")))).toBe("a");
    await group.close();
  });

  it("ends at once when the leader cannot be reached", async () => {
    const receivers: PeerReceiver[] = [];
    const group = new Group({
      ports: (_id, { network }) => ({
        network: {
          ...network,
          attach: (of, receiver) => {
            receivers.push(receiver);
            return network.attach(of, receiver);
          },
        },
      }),
    });
    const leader = new FakePeer(2, group.hub);
    const { node } = await group.start(1);
    leader.say({ type: "Heartbeat", group: 0, from: 2, to: 1, term: 5, commitIndex: 0, readRound: 0 });
    await group.pass(2);
    const lost = outcomeOf(node.propose(set("a")));
    await group.pass(2);
    receivers[0]?.unreachable(2);
    expect(await group.settled(lost, 5)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" });
    await group.close();
  });

  it("is LEADERSHIP_LOST when the answer comes after the entry, whose result has gone by", async () => {
    const { group, leader } = await ledByTest();
    const late = outcomeOf(group.member(1).node.propose(set("a")));
    await group.pass(2);
    const [forward] = forwardsOf(leader);
    const head = { group: 0, from: 2, to: 1, term: 5 } as const;
    const entry = { index: 1, term: 5, kind: "command", data: forward?.commands[0] ?? new Uint8Array() } as const;
    leader.say({ type: "AppendEntries", ...head, prevLogIndex: 0, prevLogTerm: 0, entries: [entry], leaderCommit: 1 });
    await group.pass(3);
    expect(group.member(1).machine.get("a")).toBe("a");
    const place = { requestId: forward?.requestId ?? 0, count: 1, firstIndex: 1, entryTerm: 5, refusal: null };
    leader.say({ type: "ForwardProposalsResponse", ...head, ...place });
    expect(await group.settled(late, 5)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "unknown" });
    await group.close();
  });

  it("is LEADERSHIP_LOST, and failed, when another's entry stands in its place", async () => {
    const { group, leader } = await ledByTest();
    const lost = outcomeOf(group.member(1).node.propose(set("a")));
    await group.pass(2);
    const head = { group: 0, from: 2, to: 1, term: 5 } as const;
    const place = { requestId: forwardsOf(leader)[0]?.requestId ?? 0, count: 1, firstIndex: 1, entryTerm: 5, refusal: null };
    leader.say({ type: "ForwardProposalsResponse", ...head, ...place });
    await group.pass(2);
    const entry = { index: 1, term: 6, kind: "command", data: set("b") } as const;
    const other = new FakePeer(3, group.hub);
    other.say({ ...head, type: "AppendEntries", from: 3, term: 6, prevLogIndex: 0, prevLogTerm: 0, entries: [entry], leaderCommit: 1 });
    expect(await group.settled(lost, 5)).toMatchObject({ code: "OCTOPII_RAFT_LEADERSHIP_LOST", outcome: "failed" });
    await group.close();
  });
});

describe("the queue of forwarded proposals", () => {
  it("is bounded, and what has settled makes room again", async () => {
    const { group, leader, heartbeat } = await ledByTest({ queuedProposalsMax: 10, requestTimeoutMs: 50 });
    const { node } = group.member(1);
    const asked = Array.from({ length: 10 }, (_, at) => outcomeOf(node.propose(set(`${at}`))));
    expect(await outcomeOf(node.propose(set("one too many")))).toMatchObject({ code: "OCTOPII_RAFT_BUSY", outcome: "failed" });
    await group.pass(2);
    expect(forwardsOf(leader)[0]?.commands).toHaveLength(10);
    expect(await outcomeOf(node.propose(set("still one too many")))).toMatchObject({ code: "OCTOPII_RAFT_BUSY" });
    heartbeat();
    for (const outcome of await group.settled(Promise.all(asked))) expect(outcome).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT" });
    heartbeat();
    const more = Array.from({ length: 10 }, (_, at) => outcomeOf(node.propose(set(`${at}`))));
    await group.pass(2);
    expect(forwardsOf(leader)).toHaveLength(2);
    expect(await group.settled(Promise.all(more))).toHaveLength(10);
    await group.close();
  });

  it("names its batches otherwise in every process, so that a late answer finds nobody", async () => {
    const ids: number[] = [];
    const group = new Group({});
    const leader = new FakePeer(2, group.hub);
    for (let life = 0; life < 3; life++) {
      const member = await group.start(1);
      leader.say({ type: "Heartbeat", group: 0, from: 2, to: 1, term: 5, commitIndex: 0, readRound: 0 });
      await group.pass(2);
      const lost = outcomeOf(member.node.propose(set("a")));
      await group.pass(2);
      ids.push(forwardsOf(leader).at(-1)?.requestId ?? 0);
      await member.crash();
      expect(await lost).toMatchObject({ code: "OCTOPII_RAFT_STOPPED", outcome: "unknown" });
    }
    expect(new Set(ids).size).toBe(3);
  });
});
