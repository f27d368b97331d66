import { describe, expect, it } from "vitest";
import type { Message } from "../../src/index.js";
import { TestCluster, TestReplica } from "./cluster.js";
import { append, heartbeat, only, preVote, preVoteAnswer, requestVote } from "./messages.js";

const ask = { from: 2, to: 1, term: 4 };

function preCandidate(log: number[] = []): TestReplica {
  const replica = new TestReplica(1, { log, hardState: { currentTerm: 3 } });
  replica.step({ campaign: true });
  replica.flush();
  return replica;
}

describe("thesis §9.6, pre-vote", () => {
  it("§9.6: asks whether it would be elected, for the next term, and changes neither its term nor its vote", () => {
    const replica = new TestReplica(1, { log: [1, 3] });
    const asked = only("PreVote", replica.step({ campaign: true }));
    expect(asked).toMatchObject([2, 3].map((to) => preVote({ from: 1, to, term: 4 }, 2, 3)));
    replica.flush();
    expect(replica.status).toMatchObject({ role: "preCandidate", currentTerm: 3, votedFor: 0 });
    expect(replica.disk.hardState).toMatchObject({ currentTerm: 3, votedFor: 0 });
  });

  it("§9.6: campaigns in the next term only when a majority would vote for it", () => {
    const replica = preCandidate();
    replica.answer(preVoteAnswer({ ...ask, from: 3 }));
    expect(replica.status).toMatchObject({ role: "candidate", currentTerm: 4, votedFor: 1 });
  });

  it("§9.6: gives up, in its old term, when a majority would not", () => {
    const replica = preCandidate();
    replica.answer(preVoteAnswer({ from: 2, to: 1, term: 3 }, false));
    expect(replica.status.role).toBe("preCandidate");
    replica.answer(preVoteAnswer({ from: 3, to: 1, term: 3 }, false));
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 3 });
  });

  it.each<[log: number[], theirs: [number, number], granted: boolean]>([
    [[1, 2], [2, 2], true],
    [[1, 2], [9, 1], false],
    [[1, 2], [1, 2], false],
    [[1, 2], [1, 3], true],
  ])("§9.6: a server with the log %j would vote for one that ends at %j: %s", (log, [lastIndex, lastTerm], granted) => {
    const voter = new TestReplica(1, { log, hardState: { currentTerm: 3 } });
    expect(voter.answer(preVote(ask, lastIndex, lastTerm))).toMatchObject([{ granted, term: granted ? 4 : 3 }]);
    // It has promised nothing.
    expect(voter.status).toMatchObject({ currentTerm: 3, votedFor: 0 });
  });

  it("§9.6: may say yes to several, and to one in a term in which it has voted for another", () => {
    const voter = new TestReplica(1, { hardState: { currentTerm: 3, votedFor: 3 } });
    expect(voter.answer(preVote(ask), preVote({ ...ask, from: 3 }))).toMatchObject([{ granted: true }, { granted: true }]);
    expect(voter.answer(preVote({ ...ask, term: 3 }))).toMatchObject([{ granted: false }]);
  });

  it("§9.6: says nothing while it hears from a leader; then yes", () => {
    const voter = new TestReplica(1);
    voter.answer(heartbeat({ from: 3, to: 1, term: 3 }));
    expect(voter.answer(preVote(ask))).toEqual([]);
    voter.step({ ticks: 10 });
    expect(voter.answer(preVote(ask))).toMatchObject([{ granted: true }]);
  });

  it("§9.6: a question from the past is refused with our term, so that the candidate catches up", () => {
    const voter = new TestReplica(1, { hardState: { currentTerm: 8 } });
    expect(voter.answer(preVote(ask))).toMatchObject([{ granted: false, term: 8 }]);
    const replica = preCandidate();
    replica.answer(preVoteAnswer({ ...ask, term: 8 }, false));
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 8 });
  });

  it("§9.6: asking does not put off anybody's election", () => {
    const voter = new TestReplica(1, { log: [2] });
    voter.step({ ticks: 10 });
    voter.answer(preVote(ask, 9, 9));
    voter.step({ ticks: 1 });
    expect(voter.status.role).toBe("preCandidate");
  });

  it("§9.6: a server that was cut off, and whose log fell behind, does not disturb the others when it returns", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(3);
    cluster.tick(200);
    cluster.heal();
    cluster.tick(30);
    expect(cluster.leader).toMatchObject({ id: 1 });
    for (const id of [1, 2, 3]) expect(cluster.at(id).status.currentTerm).toBe(1);
  });

  it("§9.6: a server that is ahead of the leader's term and cannot be elected deposes it by its answers, or it would be lost", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [new Uint8Array(1)] });
    // It raised its term without telling anybody, and then its disk kept that.
    cluster.at(3).answer(requestVote({ from: 2, to: 3, term: 9 }, 9, 9, true));
    expect(cluster.at(3).status.currentTerm).toBe(9);
    cluster.tick(40);
    expect(cluster.leader.status.currentTerm).toBeGreaterThan(9);
    expect(cluster.at(3).status.leaderId).toBe(cluster.leader.id);
  });

  it("a pre-candidate ignores votes, a candidate pre-votes, and a follower both", () => {
    const replica = preCandidate();
    replica.answer({ type: "RequestVoteResponse", group: 0, from: 2, to: 1, term: 3, granted: true });
    expect(replica.status.role).toBe("preCandidate");
    replica.answer(preVoteAnswer(ask));
    replica.answer(preVoteAnswer({ ...ask, from: 3 }));
    expect(replica.status.role).toBe("candidate");
    replica.answer(append({ ...ask, term: 4 }, [0, 0], []), preVoteAnswer({ ...ask, from: 3, term: 5 }));
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 4, leaderId: 2 });
    expect(replica.traced("drop").map(({ reason }) => reason)).toEqual(["unexpected", "unexpected", "unexpected"]);
  });

  it("a pre-candidate that hears from the leader of its term follows it", () => {
    const replica = preCandidate();
    replica.answer(heartbeat({ from: 3, to: 1, term: 3 }));
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 3, leaderId: 3 });
  });

  it("a lone voter needs nobody's answer, and waits for its disk between the two rounds", () => {
    const replica = new TestCluster(1).at(1);
    replica.step({ campaign: true });
    expect(replica.status.role).toBe("preCandidate");
    replica.flush(1);
    expect(replica.status).toMatchObject({ role: "candidate", currentTerm: 1 });
    replica.flush();
    expect(replica.status.role).toBe("leader");
  });

  it("a grant counts for the term that was asked about, and for no later one", () => {
    const replica = preCandidate();
    replica.answer(requestVote({ from: 3, to: 1, term: 4 }, 0, 0));
    expect(replica.status.currentTerm).toBe(4);
    replica.step({ ticks: 30 });
    replica.flush();
    expect(replica.status).toMatchObject({ role: "preCandidate", currentTerm: 4 });
    replica.answer(preVoteAnswer({ from: 2, to: 1, term: 4 }));
    expect(replica.status).toMatchObject({ role: "preCandidate", currentTerm: 4 });
    replica.answer(preVoteAnswer({ from: 2, to: 1, term: 5 }));
    expect(replica.status).toMatchObject({ role: "candidate", currentTerm: 5 });
  });

  it("a grant that comes late does not have a node that is cut off depose a leader", () => {
    const cluster = new TestCluster(3);
    const delayed: Message[] = [];
    cluster.filter = (message) => {
      if (message.type === "PreVoteResponse" && message.to === 1 && message.from === 2) delayed.push(message);
      return !(message.to === 1 && message.from !== 1);
    };
    cluster.run(1, { campaign: true });
    expect(delayed.length).toBe(1);
    cluster.heal();
    cluster.elect(3);
    cluster.tick(3);
    cluster.cut(1);
    cluster.tick(15);
    expect(cluster.at(1).status).toMatchObject({ role: "preCandidate", currentTerm: 1 });
    cluster.settle(cluster.at(1).answer(...delayed));
    cluster.heal();
    cluster.tick(3);
    expect(cluster.at(3).status).toMatchObject({ role: "leader", currentTerm: 1 });
  });
});
