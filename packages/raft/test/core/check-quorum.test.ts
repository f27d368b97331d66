import { describe, expect, it } from "vitest";
import { group, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, append, heartbeat, heartbeatAnswer, preVote, requestVote } from "./messages.js";

const at = { from: 2, to: 1, term: 1 };

describe("thesis §6.2, check-quorum", () => {
  it("§6.2: a leader that heard of no quorum for an election timeout steps down, in its term", () => {
    const replica = leading();
    replica.step({ ticks: 9 });
    expect(replica.status.role).toBe("leader");
    replica.step({ ticks: 1 });
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 1, leaderId: 0 });
    expect(replica.traced("quorumLost")).toEqual([{ type: "quorumLost", term: 1 }]);
  });

  it.each([
    ["an acknowledgement", accepted(at, 0)],
    ["an answer to a heartbeat", heartbeatAnswer(at)],
  ])("%s of one of three keeps it for another timeout", (_, answer) => {
    const replica = leading();
    for (let timeout = 0; timeout < 5; timeout++) {
      replica.receive(answer);
      replica.step({ ticks: 10 });
      expect(replica.status.role).toBe("leader");
    }
    replica.step({ ticks: 10 });
    expect(replica.status.role).toBe("follower");
  });

  it("learners do not count; in a joint configuration each half does", () => {
    const learners = leading({ configuration: group([1, 2, 3], { learners: [4, 5] }) });
    for (const from of [4, 5]) learners.receive(heartbeatAnswer({ ...at, from }));
    learners.step({ ticks: 10 });
    expect(learners.status.role).toBe("follower");
    const joint = leading({ configuration: group([1, 4, 5], { votersOutgoing: [1, 2, 3] }) });
    for (const from of [2, 3]) joint.receive(heartbeatAnswer({ ...at, from }));
    joint.step({ ticks: 10 });
    expect(joint.status.role).toBe("follower");
  });

  it("a lone voter has its quorum in itself", () => {
    const replica = leading({ configuration: group([1]) });
    replica.step({ ticks: 100 });
    expect(replica.status.role).toBe("leader");
  });

  it("without it, a leader stays one until it learns of a later term", () => {
    const replica = leading({ options: { checkQuorum: false } });
    replica.step({ ticks: 500 });
    expect(replica.status.role).toBe("leader");
  });

  it("§6.2: the others of a leader that is cut off elect another, and it follows when it returns", () => {
    const cluster = new TestCluster(5);
    cluster.elect(1);
    cluster.cut(1, 2);
    cluster.tick(40);
    expect(cluster.at(1).status.role).not.toBe("leader");
    expect([3, 4, 5]).toContain(cluster.leader.id);
    cluster.heal();
    cluster.tick(20);
    for (const id of [1, 2, 3, 4, 5]) expect(cluster.at(id).status.leaderId).toBe(cluster.leader.id);
  });

  it("a leader shields itself: a rival's request does not depose it while it has its quorum", () => {
    const replica = leading();
    expect(replica.answer(requestVote({ ...at, term: 9 }, 9, 8))).toEqual([]);
    expect(replica.status).toMatchObject({ role: "leader", currentTerm: 1 });
  });

  it("a node that waits to apply a change, and so may not campaign, does not shield a dead leader for that", () => {
    // Its timeout is the shortest there is: if waiting began anew, it would shield for ever.
    const random = { uint32: () => 0, bytes: (length: number) => new Uint8Array(length), fork: () => random };
    const replica = new TestReplica(1, { random });
    replica.holdApply = true;
    replica.answer(append({ ...at }, [0, 0], [1]));
    const change = { index: 2, term: 1, kind: "configuration", data: new Uint8Array() } as const;
    replica.answer({ ...append(at, [1, 1], [1], 2), entries: [change] });
    replica.step({ ticks: 15 });
    expect(replica.traced("campaignRefused").at(-1)).toMatchObject({ obstacle: "unappliedChange" });
    expect(replica.answer(requestVote({ from: 3, to: 1, term: 2 }, 2, 1))).toMatchObject([{ granted: true }]);
  });
});

describe("forget-leader", () => {
  const follower = (options = {}): TestReplica => {
    const replica = new TestReplica(1, { options });
    replica.answer(heartbeat(at));
    return replica;
  };

  it("a follower that forgets its leader no longer shields it", () => {
    const replica = follower();
    replica.step({ forgetLeader: true });
    expect(replica.status).toMatchObject({ role: "follower", leaderId: 0, currentTerm: 1 });
    expect(replica.traced("leader").at(-1)).toEqual({ type: "leader", term: 1, leaderId: 0 });
    expect(replica.answer(preVote({ from: 3, to: 1, term: 2 }, 0, 0))).toMatchObject([{ granted: true }]);
    expect(replica.answer(requestVote({ from: 3, to: 1, term: 2 }, 0, 0))).toMatchObject([{ granted: true }]);
  });

  it("it does not vote for somebody whose log is behind for that, nor a second time", () => {
    const replica = new TestReplica(1, { log: [1, 1], hardState: { votedFor: 2 } });
    replica.answer(heartbeat(at));
    replica.step({ forgetLeader: true });
    expect(replica.answer(requestVote({ from: 3, to: 1, term: 1 }, 9, 1))).toMatchObject([{ granted: false }]);
    expect(replica.answer(preVote({ from: 3, to: 1, term: 2 }, 1, 1))).toMatchObject([{ granted: false }]);
  });

  it("its own election comes no sooner, and it follows the leader again when that speaks", () => {
    const replica = follower();
    replica.step({ ticks: 5 });
    replica.step({ forgetLeader: true });
    replica.step({ ticks: 5 });
    expect(replica.status.role).toBe("follower");
    replica.answer(heartbeat(at));
    expect(replica.status.leaderId).toBe(2);
    replica.step({ forgetLeader: true });
    replica.step({ ticks: 11 });
    expect(replica.status.role).toBe("preCandidate");
  });

  it("reads that it asked of the leader are refused", () => {
    const replica = follower();
    replica.step({ reads: [{ id: 1, lease: false }] });
    replica.step({ forgetLeader: true });
    expect(replica.reads).toEqual([{ id: 1, index: null, refusal: "noLeader" }]);
  });

  it("has no effect on leaders, candidates, and whoever follows nobody", () => {
    const leader = leading();
    leader.step({ forgetLeader: true });
    expect(leader.status).toMatchObject({ role: "leader", leaderId: 1 });
    const candidate = new TestReplica(1);
    candidate.step({ campaign: true });
    candidate.step({ forgetLeader: true });
    expect(candidate.status.role).toBe("preCandidate");
    const idle = new TestReplica(1);
    idle.step({ forgetLeader: true });
    expect(idle.traced("leader")).toEqual([]);
  });
});
