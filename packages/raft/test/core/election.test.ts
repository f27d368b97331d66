import { describe, expect, it } from "vitest";
import { bytes, TestCluster, texts } from "./cluster.js";

describe("election", () => {
  it("makes the first whose timeout passes the leader of a new term (Raft §5.2)", () => {
    const cluster = new TestCluster(3);
    cluster.tick(11);
    expect(cluster.at(1).core.status()).toMatchObject({ role: "leader", currentTerm: 1, leaderId: 1 });
    expect(cluster.at(2).core.status()).toMatchObject({ role: "follower", currentTerm: 1, leaderId: 1 });
    expect(cluster.at(3).core.status()).toMatchObject({ role: "follower", currentTerm: 1, leaderId: 1 });
  });

  it("lets a lone voter lead, but only after its own vote is durable", () => {
    const replica = new TestCluster(1).at(1);
    replica.step({ campaign: true });
    replica.flush(1);
    expect(replica.core.status()).toMatchObject({ role: "candidate", commitIndex: 0 });
    replica.flush();
    expect(replica.core.status()).toMatchObject({ role: "leader" });
    replica.flush();
    expect(replica.core.status()).toMatchObject({ commitIndex: 1 });
  });

  it("holds a vote back until it is on stable storage (RULE 1)", () => {
    const cluster = new TestCluster(3, { preVote: false });
    cluster.at(1).step({ campaign: true });
    const request = cluster
      .at(1)
      .flush()
      .find(({ to }) => to === 2);
    const voter = cluster.at(2);
    expect(voter.step({ messages: request === undefined ? [] : [request] })).toEqual([]);
    expect(voter.flush()).toMatchObject([{ type: "RequestVoteResponse", to: 1, granted: true }]);
    expect(voter.disk.hardState).toMatchObject({ currentTerm: 1, votedFor: 1 });
  });

  it("asks for votes only when its own vote and all that it claims to hold are durable", () => {
    const cluster = new TestCluster(3, { preVote: false });
    const candidate = cluster.at(1);
    // An entry on its way to the disk counts in the request's lastLogIndex: were it lost in a crash, a late vote for it would elect a
    // leader without it. And were the vote lost, the same term could be campaigned in twice.
    const append = { type: "AppendEntries", group: 0, from: 2, to: 1, term: 1, prevLogIndex: 0, prevLogTerm: 0, leaderCommit: 0 } as const;
    candidate.step({ messages: [{ ...append, entries: [{ index: 1, term: 1, kind: "command", data: bytes("a") }] }] });
    expect(candidate.step({ campaign: true })).toEqual([]);
    expect(candidate.flush(1).filter(({ type }) => type === "RequestVote")).toEqual([]);
    expect(candidate.flush(1)).toMatchObject([
      { type: "RequestVote", term: 2, lastLogIndex: 1 },
      { type: "RequestVote", term: 2, lastLogIndex: 1 },
    ]);
    expect(candidate.disk).toMatchObject({ entries: [{ index: 1 }], hardState: { currentTerm: 2, votedFor: 1 } });
  });

  it("gives one vote per term, also across a restart (Raft §5.2)", () => {
    const cluster = new TestCluster(3, { preVote: false });
    const ask = (from: number) =>
      ({ type: "RequestVote", group: 0, from, to: 3, term: 1, lastLogIndex: 0, lastLogTerm: 0, leadershipTransfer: false }) as const;
    const voter = cluster.at(3);
    voter.step({ messages: [ask(1)] });
    expect(voter.flush()).toMatchObject([{ granted: true }]);
    voter.restart();
    voter.step({ messages: [ask(2)] });
    expect(voter.flush()).toMatchObject([{ type: "RequestVoteResponse", to: 2, granted: false }]);
    voter.step({ messages: [ask(1)] });
    expect(voter.flush()).toMatchObject([{ to: 1, granted: true }]);
  });

  it("refuses a candidate whose log is behind (Raft §5.4.1)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(3);
    cluster.run(1, { proposals: [bytes("a")] });
    cluster.heal();
    cluster.filter = ({ from, to }) => from !== 1 && to !== 1;
    cluster.tick(40);
    expect(cluster.at(3).core.status().role).not.toBe("leader");
    expect(cluster.at(2).core.status().role).toBe("leader");
    cluster.heal();
    cluster.tick(3);
    expect(texts(cluster.at(3).applied)).toEqual(["a"]);
  });

  it("does not raise the term of a node that is cut off, thanks to pre-vote (thesis §9.6)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(3);
    cluster.tick(100);
    expect(cluster.at(3).core.status()).toMatchObject({ role: "preCandidate", currentTerm: 1 });
    cluster.heal();
    cluster.tick(2);
    expect(cluster.at(1).core.status()).toMatchObject({ role: "leader", currentTerm: 1 });
    expect(cluster.at(3).core.status()).toMatchObject({ role: "follower", leaderId: 1 });
  });

  it("makes a leader without a quorum step down (check-quorum)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(1);
    cluster.tick(25);
    expect(cluster.at(1).core.status()).toMatchObject({ leaderId: 0 });
    expect(cluster.at(1).core.status().role).not.toBe("leader");
    expect(cluster.at(2).core.status().role).toBe("leader");
  });

  it("shields a live leader from a rival's higher term (thesis §4.2.3)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    const rival = {
      type: "RequestVote",
      group: 0,
      from: 3,
      to: 2,
      term: 9,
      lastLogIndex: 9,
      lastLogTerm: 9,
      leadershipTransfer: false,
    } as const;
    cluster.settle(cluster.at(2).step({ messages: [rival] }));
    expect(cluster.at(2).core.status()).toMatchObject({ currentTerm: 1, leaderId: 1 });
    expect(cluster.at(2).traced("drop")).toContainEqual({ type: "drop", message: rival, reason: "leaderIsAlive" });
  });

  it("hands leadership over on request (thesis §3.10), and gives up when the target stays silent", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { transferTo: 3 });
    expect(cluster.at(3).core.status()).toMatchObject({ role: "leader", currentTerm: 2 });
    cluster.cut(2);
    cluster.run(3, { transferTo: 2 });
    cluster.run(3, { proposals: [bytes("no")] });
    expect(cluster.at(3).core.step({ proposals: [bytes("no")] }).proposed).toMatchObject({ count: 0, refusal: "transferring" });
    cluster.tick(11);
    expect(cluster.at(3).core.step({ proposals: [bytes("yes")] }).proposed).toMatchObject({ count: 1, refusal: null });
  });
});
