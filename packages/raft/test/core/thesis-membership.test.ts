import { describe, expect, it } from "vitest";
import { encodeConfigurationChange, leaveJointChange } from "../../src/index.js";
import { bytes, change, group, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, append, heartbeat, only, timeoutNow } from "./messages.js";

describe("thesis §4.1, one server at a time", () => {
  it("§4.1: a single change takes one entry, and no joint configuration", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.join(4);
    expect(cluster.change(1, change("v4"))).toMatchObject({ accepted: true, index: 2, term: 1 });
    expect(
      cluster
        .at(1)
        .traced("configuration")
        .map(({ configuration }) => configuration),
    ).toEqual([group([1, 2, 3]), group([1, 2, 3, 4])]);
    expect(cluster.at(1).status.lastIndex).toBe(2);
  });

  it("§4.1 (departure): no further change before the one before it is applied, where the thesis asks for its commit", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.at(1).holdApply = true;
    expect(cluster.change(1, change("l4"))).toMatchObject({ accepted: true });
    expect(cluster.at(1).status).toMatchObject({ commitIndex: 2, appliedIndex: 1 });
    expect(cluster.change(1, change("l5"))).toMatchObject({ accepted: false, refusal: "changePending" });
    cluster.settle(cluster.at(1).finishApply());
    expect(cluster.change(1, change("l5"))).toMatchObject({ accepted: true });
  });

  it("§4.1: a new leader takes no change before it has applied all that it was elected with: one may be among it", () => {
    const entry = { index: 2, term: 1, kind: "configuration", data: encodeConfigurationChange(change("v4")) } as const;
    const leader = new TestReplica(1, { options: { preVote: false } });
    leader.answer({
      ...append({ from: 2, to: 1, term: 1 }, [1, 1], [1]),
      prevLogIndex: 0,
      prevLogTerm: 0,
      entries: [{ index: 1, term: 1, kind: "noop", data: bytes("") }, entry],
    });
    leader.step({ ticks: 11 });
    leader.flush();
    leader.answer({ type: "RequestVoteResponse", group: 0, from: 2, to: 1, term: 2, granted: true });
    leader.step({ change: { change: change("l5"), mustKeepQuorum: false } });
    expect(leader.changed).toMatchObject({ accepted: false, refusal: "changePending" });
    leader.answer(accepted({ from: 2, to: 1, term: 2 }, 3));
    expect(leader.status.configuration).toEqual(group([1, 2, 3, 4]));
    leader.step({ change: { change: change("l5"), mustKeepQuorum: false } });
    expect(leader.changed).toMatchObject({ accepted: true, index: 4 });
  });

  it("§4.1: a member that does not take part may be removed, for it has no say in that", () => {
    const cluster = new TestCluster(4);
    cluster.elect(1);
    cluster.stop(4);
    cluster.change(1, change("r4"));
    expect(cluster.at(2).status.configuration).toEqual(group([1, 2, 3]));
  });
});

describe("thesis §4.2, availability", () => {
  it("§4.2.1: a server with an empty log does not hold up commits while it catches up as a learner", () => {
    const leader = leading({ configuration: group([1], { learners: [2, 3, 4] }) });
    leader.step({ proposals: [bytes("a")] });
    leader.flush();
    expect(leader.status.commitIndex).toBe(2);
  });

  it("§4.2.1: learners neither campaign nor count in a vote; asked for one, they give it: they may be voters without knowing", () => {
    const configuration = group([1, 2, 3], { learners: [4] });
    const learner = new TestReplica(4, { configuration, options: { preVote: false } });
    learner.answer(append({ from: 1, to: 4, term: 1 }, [0, 0], [1]));
    learner.answer(timeoutNow({ from: 1, to: 4, term: 1 }));
    expect(learner.status.role).toBe("follower");
    learner.step({ ticks: 10 });
    expect(
      learner.answer({
        type: "RequestVote",
        group: 0,
        from: 2,
        to: 4,
        term: 2,
        lastLogIndex: 1,
        lastLogTerm: 1,
        leadershipTransfer: false,
      }),
    ).toMatchObject([{ granted: true }]);
    const candidate = new TestReplica(1, { configuration, options: { preVote: false } });
    candidate.step({ campaign: true });
    expect(only("RequestVote", candidate.flush()).map(({ to }) => to)).toEqual([2, 3]);
    candidate.answer({ type: "RequestVoteResponse", group: 0, from: 4, to: 1, term: 1, granted: true });
    expect(candidate.status.role).toBe("candidate");
  });

  it("§4.2.2: a leader that was removed steps down once that is applied, and not before", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.at(1).holdApply = true;
    cluster.change(1, change("r1"));
    expect(cluster.at(1).status).toMatchObject({ role: "leader", commitIndex: 2 });
    cluster.settle(cluster.at(1).finishApply());
    expect(cluster.at(1).status).toMatchObject({ role: "follower", leaderId: 0, configuration: group([2, 3]) });
    cluster.tick(15);
    expect(cluster.leader.status.configuration).toEqual(group([2, 3]));
  });

  it("§4.2.2: so does a leader that became a learner", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.change(1, change("l1"));
    expect(cluster.at(1).status).toMatchObject({ role: "follower", configuration: group([2, 3], { learners: [1] }) });
    cluster.tick(60);
    expect([2, 3]).toContain(cluster.leader.id);
    expect(cluster.at(1).status.leaderId).toBe(cluster.leader.id);
  });

  it("§4.2.2: of a leader that is told to go on when removed (for etcd's scenarios only), nothing is taken any more", () => {
    const cluster = new TestCluster(3, { stepDownOnRemoval: false });
    cluster.elect(1);
    cluster.change(1, change("r1"));
    expect(cluster.at(1).status.role).toBe("leader");
    cluster.run(1, { proposals: [bytes("a")] });
    expect(cluster.at(1).proposed).toMatchObject({ count: 0, refusal: "removed" });
    expect(cluster.change(1, change("v1"))).toMatchObject({ accepted: false, refusal: "removed" });
  });

  it("§4.2.2: a removal of the leader among two is committed by the one that remains, and the one that goes", () => {
    const cluster = new TestCluster(2);
    cluster.elect(1);
    cluster.change(1, change("r1"));
    cluster.tick(15);
    expect(cluster.leader.id).toBe(2);
    cluster.run(2, { proposals: [bytes("alone")] });
    expect(cluster.at(2).state).toEqual(["alone"]);
  });

  it("§4.2.3: pre-vote alone does not keep a removed server with a complete log from deposing a leader; the shield does", () => {
    const shielded = new TestReplica(2);
    shielded.answer(heartbeat({ from: 1, to: 2, term: 1 }));
    expect(shielded.answer({ type: "PreVote", group: 0, from: 4, to: 2, term: 2, lastLogIndex: 9, lastLogTerm: 1 })).toEqual([]);
    const unshielded = new TestReplica(2, { options: { checkQuorum: false } });
    unshielded.answer(heartbeat({ from: 1, to: 2, term: 1 }));
    expect(unshielded.answer({ type: "PreVote", group: 0, from: 4, to: 2, term: 2, lastLogIndex: 9, lastLogTerm: 1 })).toMatchObject([
      { granted: true },
    ]);
  });
});

describe("thesis §4.3, arbitrary changes by joint consensus", () => {
  it("§4.3: a leader of a joint configuration that fails is replaced, and the next one leaves it", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    for (const id of [4, 5]) cluster.join(id);
    cluster.at(1).holdApply = true;
    cluster.change(1, change("v4 v5"));
    cluster.tick(2);
    expect(cluster.at(2).status.configuration).toEqual(group([1, 2, 3, 4, 5], { votersOutgoing: [1, 2, 3], autoLeave: true }));
    cluster.stop(1);
    cluster.tick(40);
    expect(cluster.leader.status.configuration).toEqual(group([1, 2, 3, 4, 5]));
    expect(cluster.leader.traced("autoLeave")).toHaveLength(1);
  });

  it("§4.3: while joint, entries of both kinds flow; a further change waits", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.join(4);
    cluster.change(1, change("v4", "explicit"));
    cluster.run(1, { proposals: [bytes("a")] });
    expect(cluster.at(4).state).toEqual(["a"]);
    expect(cluster.change(1, change("v5"))).toMatchObject({ accepted: false, refusal: "alreadyJoint" });
    expect(cluster.change(1, leaveJointChange)).toMatchObject({ accepted: true });
    expect(cluster.at(4).status.configuration).toEqual(group([1, 2, 3, 4]));
  });

  it("a change that another leader has cut from the log keeps nobody from campaigning", () => {
    const replica = new TestReplica(1, { log: [1], hardState: { currentTerm: 1, commitIndex: 1 } });
    const cut = { index: 2, term: 1, kind: "configuration", data: new Uint8Array(0) } as const;
    replica.answer({ ...append({ from: 2, to: 1, term: 1 }, [1, 1], []), entries: [cut] });
    replica.holdApply = true;
    replica.answer(append({ from: 3, to: 1, term: 2 }, [1, 1], [2], 2));
    replica.step({ campaign: true });
    expect(replica.traced("campaignRefused").map(({ obstacle }) => obstacle)).toEqual([]);
  });
});
