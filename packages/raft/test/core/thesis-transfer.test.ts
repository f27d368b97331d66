import { describe, expect, it } from "vitest";
import { bytes, change, group, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, append, heartbeat, heartbeatAnswer, install, only, requestVote, snapshotOf, timeoutNow, vote } from "./messages.js";

/** A leader whose follower 2 has everything, and whose follower 3 has nothing. */
function leader(options = {}): TestReplica {
  const replica = leading({ options });
  replica.answer(accepted({ from: 2, to: 1, term: 1 }, 1));
  return replica;
}

const phases = (replica: TestReplica): string[] => replica.traced("transfer").map(({ phase, target }) => `${phase} ${target}`);

describe("thesis §3.10, leadership transfer", () => {
  it("§3.10: the leader takes no commands and no changes while it hands over", () => {
    const replica = leader();
    replica.step({ transferTo: 2, proposals: [bytes("a")] });
    expect(replica.proposed).toMatchObject({ count: 0, refusal: "transferring" });
    replica.step({ change: { change: change("l4"), mustKeepQuorum: false } });
    expect(replica.changed).toMatchObject({ accepted: false, refusal: "transferring" });
    expect(replica.status).toMatchObject({ transferTarget: 2, lastIndex: 1 });
  });

  it("§3.10: tells the target to campaign at once if it has everything", () => {
    expect(only("TimeoutNow", leader().step({ transferTo: 2 }))).toEqual([timeoutNow({ from: 1, to: 2, term: 1 })]);
  });

  it("§3.10: brings the target up to date first if it has not", () => {
    const replica = leader();
    replica.step({ proposals: [bytes("a")] });
    replica.flush();
    expect(replica.step({ transferTo: 2 })).toMatchObject([{ type: "AppendEntries", to: 2 }]);
    expect(replica.receive(accepted({ from: 2, to: 1, term: 1 }, 2))).toContainEqual(timeoutNow({ from: 1, to: 2, term: 1 }));
  });

  it("§3.10: others' answers do not set it off", () => {
    const replica = leader();
    replica.step({ proposals: [bytes("a")] });
    replica.flush();
    replica.step({ transferTo: 2 });
    expect(only("TimeoutNow", replica.receive(accepted({ from: 3, to: 1, term: 1 }, 2)))).toEqual([]);
  });

  it("§3.10: the target campaigns without waiting and without a pre-vote, and voters do not shield the old leader from it", () => {
    const target = new TestReplica(2);
    target.answer(append({ from: 1, to: 2, term: 1 }, [0, 0], [1]));
    target.receive(timeoutNow({ from: 1, to: 2, term: 1 }));
    const requests = only("RequestVote", target.flush());
    expect(requests).toMatchObject([1, 3].map((to) => requestVote({ from: 2, to, term: 2 }, 1, 1, true)));
    const voter = new TestReplica(3);
    voter.answer(append({ from: 1, to: 3, term: 1 }, [0, 0], [1]));
    expect(voter.answer(requestVote({ from: 2, to: 3, term: 2 }, 1, 1, true))).toMatchObject([{ granted: true }]);
  });

  it("§3.10: the old leader steps down by the target's election, and follows it", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a")] });
    cluster.run(1, { transferTo: 2 });
    expect(cluster.at(1).status).toMatchObject({ role: "follower", leaderId: 2, currentTerm: 2, transferTarget: 0 });
    cluster.run(2, { proposals: [bytes("b")] });
    for (const id of [1, 2, 3]) expect(cluster.at(id).state).toEqual(["a", "b"]);
  });

  it("§3.10: after about an election timeout without it, the leader gives up and takes commands again", () => {
    const replica = leader();
    replica.step({ ticks: 7 });
    replica.step({ transferTo: 2 });
    for (let tick = 1; tick <= 9; tick++) {
      replica.receive(heartbeatAnswer({ from: 2, to: 1, term: 1 }));
      replica.step({ ticks: 1 });
      expect(replica.status.transferTarget).toBe(2);
    }
    replica.step({ ticks: 1, proposals: [bytes("a")] });
    expect(replica.status).toMatchObject({ transferTarget: 0, role: "leader" });
    expect(replica.proposed).toMatchObject({ count: 1, refusal: null });
    expect(phases(replica)).toEqual(["started 2", "timeoutNow 2", "aborted 2"]);
  });

  it.each([
    ["its own id", 1, group([1, 2, 3])],
    ["a learner", 4, group([1, 2, 3], { learners: [4] })],
    ["a stranger", 9, group([1, 2, 3])],
  ])("§3.10: refuses to hand over to %s", (_, target, configuration) => {
    const replica = leading({ configuration });
    expect(replica.step({ transferTo: target })).toEqual([]);
    expect(replica.status.transferTarget).toBe(0);
    expect(phases(replica)).toEqual([`refused ${target}`]);
  });

  it("does nothing on a node that does not lead", () => {
    const replica = new TestReplica(1);
    replica.answer(heartbeat({ from: 2, to: 1, term: 1 }));
    replica.step({ transferTo: 3 });
    expect(phases(replica)).toEqual([]);
  });

  it("a second wish for the same target does not give it more time; one for another replaces it", () => {
    const replica = leader();
    replica.step({ transferTo: 2 });
    replica.step({ ticks: 5 });
    replica.step({ transferTo: 2 });
    replica.step({ transferTo: 3 });
    expect(phases(replica)).toEqual(["started 2", "timeoutNow 2", "repeated 2", "replaced 2", "started 3"]);
    expect(replica.status.transferTarget).toBe(3);
  });

  it("a target that was removed, or lost its vote, ends the transfer: the leader goes on", () => {
    for (const steps of ["r3", "l3"]) {
      const cluster = new TestCluster(3);
      cluster.elect(1);
      cluster.at(1).holdApply = true;
      cluster.change(1, change(steps));
      cluster.filter = ({ type }) => type !== "TimeoutNow";
      cluster.run(1, { transferTo: 3 });
      cluster.settle(cluster.at(1).finishApply());
      expect(cluster.at(1).status).toMatchObject({ role: "leader", transferTarget: 0 });
    }
  });

  it("a target in the outgoing half may take over: it votes still", () => {
    const cluster = new TestCluster(group([1, 2], { votersOutgoing: [1, 2, 3] }));
    cluster.elect(1);
    cluster.run(1, { transferTo: 3 });
    expect(cluster.leader.id).toBe(3);
  });

  it("TimeoutNow of anybody but the leader of the term is ignored", () => {
    const replica = new TestReplica(2);
    replica.answer(heartbeat({ from: 1, to: 2, term: 3 }));
    for (const forged of [
      timeoutNow({ from: 3, to: 2, term: 3 }),
      timeoutNow({ from: 1, to: 2, term: 2 }),
      timeoutNow({ from: 3, to: 2, term: 9 }),
    ]) {
      replica.answer(forged);
      expect(replica.status.role).toBe("follower");
    }
    // The last one told of a later term, whose leader nobody knows yet.
    expect(replica.status.currentTerm).toBe(9);
  });

  it("TimeoutNow is refused by who may not lead: a learner, whoever restores a snapshot, whoever has a change to apply", () => {
    const learner = new TestReplica(4, { configuration: group([1, 2, 3], { learners: [4] }) });
    learner.answer(heartbeat({ from: 1, to: 4, term: 1 }), timeoutNow({ from: 1, to: 4, term: 1 }));
    expect(learner.traced("campaignRefused")).toMatchObject([{ obstacle: "notVoter" }]);
    const behind = new TestReplica(2, { log: [1], hardState: { commitIndex: 1 } });
    behind.holdApply = true;
    behind.restart();
    behind.answer(heartbeat({ from: 1, to: 2, term: 1 }), timeoutNow({ from: 1, to: 2, term: 1 }));
    expect(behind.traced("campaignRefused")).toMatchObject([{ obstacle: "unappliedChange" }]);
    const restoring = new TestReplica(2);
    restoring.disk.snapshots.push({ metadata: snapshotOf(5, 1), state: [] });
    restoring.holdRestore = true;
    restoring.answer(install({ from: 1, to: 2, term: 1 }, snapshotOf(5, 1)), timeoutNow({ from: 1, to: 2, term: 1 }));
    expect(restoring.traced("campaignRefused")).toMatchObject([{ obstacle: "restoring" }]);
    restoring.step({ ticks: 50 });
    expect(restoring.status.role).toBe("follower");
    restoring.finishRestore();
    restoring.step({ ticks: 1 });
    expect(restoring.status.role).toBe("preCandidate");
  });

  it("a leader that is deposed in the middle of a transfer forgets it: it is free when it leads again", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.filter = ({ type }) => type !== "TimeoutNow";
    cluster.run(1, { transferTo: 2 });
    cluster.run(1, { messages: [vote({ from: 3, to: 1, term: 5 }, false)] });
    expect(cluster.at(1).status).toMatchObject({ role: "follower", transferTarget: 0 });
    cluster.heal();
    cluster.tick(40);
    if (cluster.leader.id !== 1) cluster.run(cluster.leader.id, { transferTo: 1 });
    expect(cluster.leader.id).toBe(1);
    cluster.run(1, { proposals: [bytes("a")] });
    expect(cluster.at(1).proposed).toMatchObject({ count: 1, refusal: null });
  });

  it("a joint configuration that waited for the transfer is left when the transfer fails, though nobody proposes anything", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.join(4);
    const replica = cluster.at(1);
    replica.holdApply = true;
    cluster.change(1, change("v4", "implicit"));
    cluster.filter = ({ type }) => type !== "TimeoutNow";
    cluster.run(1, { transferTo: 2 });
    replica.holdApply = false;
    while (replica.applying !== null) cluster.settle(replica.finishApply());
    expect(replica.status.configuration.votersOutgoing).toEqual([1, 2, 3]);
    cluster.tick(11);
    expect(replica.status).toMatchObject({ role: "leader", configuration: group([1, 2, 3, 4]) });
  });

  it("a leader that is cut off steps down, however often it is asked for another transfer", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    const replica = cluster.at(1);
    cluster.cut(1);
    for (let tick = 0; tick < 40; tick++) {
      replica.step({ ticks: 1 });
      if (tick % 8 === 0) replica.step({ transferTo: 2 + ((tick / 8) % 2) });
    }
    expect(replica.traced("quorumLost")).toHaveLength(1);
    expect(replica.status.role).not.toBe("leader");
  });

  it("each transfer of a term has an election timeout of its own", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.tick(2);
    cluster.filter = ({ type }) => type !== "TimeoutNow";
    cluster.run(1, { transferTo: 2 });
    cluster.tick(11);
    expect(cluster.at(1).status.transferTarget).toBe(0);
    cluster.run(1, { transferTo: 3 });
    cluster.tick(5);
    expect(cluster.at(1).status.transferTarget).toBe(3);
  });
});
