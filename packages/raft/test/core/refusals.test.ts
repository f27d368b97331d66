import { describe, expect, it } from "vitest";
import {
  type ChangeRefusal,
  configurationChangesMax,
  configurationMembersMax,
  leaveJointChange,
  type MemberChange,
} from "../../src/index.js";
import { bytes, change, group, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, heartbeatAnswer } from "./messages.js";

const at = { from: 2, to: 1, term: 1 };
const cost = 256;

/** A leader whose first entry is committed. */
function leader(options = {}, configuration = group([1, 2, 3])): TestReplica {
  const replica = leading({ options, configuration });
  for (const from of [2, 3]) replica.answer(accepted({ ...at, from }, 1));
  return replica;
}

describe("proposals", () => {
  it("notLeader: followers and candidates take nothing", () => {
    const replica = new TestReplica(1);
    replica.step({ proposals: [bytes("a")] });
    expect(replica.proposed).toEqual({ count: 0, firstIndex: 1, term: 0, refusal: "notLeader" });
    replica.step({ campaign: true, proposals: [bytes("a")] });
    expect(replica.proposed).toMatchObject({ count: 0, refusal: "notLeader" });
  });

  it("removed: a leader that is no member takes nothing", () => {
    const cluster = new TestCluster(3, { stepDownOnRemoval: false });
    cluster.elect(1);
    cluster.change(1, change("r1"));
    cluster.run(1, { proposals: [bytes("a")] });
    expect(cluster.at(1).proposed).toMatchObject({ count: 0, refusal: "removed" });
  });

  it("transferring: nor does one that hands over", () => {
    const replica = leader();
    replica.step({ transferTo: 2, proposals: [bytes("a")] });
    expect(replica.proposed).toMatchObject({ count: 0, refusal: "transferring" });
  });

  it("entryTooLarge: what comes before it is taken, what comes after it is not", () => {
    const replica = leader({ entryBytesMax: 3 });
    replica.step({ proposals: [bytes("abc"), bytes("abcd"), bytes("a")] });
    expect(replica.proposed).toEqual({ count: 1, firstIndex: 2, term: 1, refusal: "entryTooLarge" });
    expect(replica.traced("proposalsDropped")).toMatchObject([{ refusal: "entryTooLarge", count: 2 }]);
  });

  it("tooManyUncommittedBytes: within one step and over several; commits make room again", () => {
    const replica = leader({ entryBytesMax: 100, uncommittedBytesMax: 3 * cost });
    replica.step({ proposals: [bytes(""), bytes("")] });
    expect(replica.proposed).toMatchObject({ count: 2, refusal: null });
    replica.step({ proposals: [bytes(""), bytes("")] });
    expect(replica.proposed).toMatchObject({ count: 1, refusal: "tooManyUncommittedBytes" });
    replica.flush();
    replica.receive(accepted(at, 3));
    replica.step({ proposals: [bytes(""), bytes(""), bytes("")] });
    expect(replica.proposed).toMatchObject({ count: 2, refusal: "tooManyUncommittedBytes" });
  });

  it("tooManyUncommittedBytes: an entry above the limit is taken when nothing else waits", () => {
    const replica = leader({ entryBytesMax: 100, uncommittedBytesMax: 100 });
    replica.step({ proposals: [new Uint8Array(100), bytes("")] });
    expect(replica.proposed).toMatchObject({ count: 1, refusal: "tooManyUncommittedBytes" });
  });

  it("tooManyUncommittedBytes: what earlier leaders left counts, and its commit makes no more room than it took", () => {
    const replica = new TestReplica(1, { options: { preVote: false, entryBytesMax: 100, uncommittedBytesMax: 6 * cost } });
    const entries = [1, 2, 3].map((index) => ({ index, term: 1, kind: "command" as const, data: bytes("") }));
    replica.answer({ type: "AppendEntries", group: 0, ...at, prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 0 });
    replica.step({ ticks: 11 });
    replica.flush();
    replica.answer({ type: "RequestVoteResponse", group: 0, ...at, term: 2, granted: true });
    // Three that were there, and the no-op.
    replica.step({ proposals: [bytes(""), bytes(""), bytes("")] });
    expect(replica.proposed).toMatchObject({ count: 2, refusal: "tooManyUncommittedBytes" });
    replica.flush();
    replica.answer(accepted({ ...at, term: 2 }, 4));
    expect(replica.status).toMatchObject({ commitIndex: 4, lastIndex: 6 });
    replica.step({ proposals: Array.from({ length: 9 }, () => bytes("")) });
    expect(replica.proposed).toMatchObject({ count: 4, refusal: "tooManyUncommittedBytes" });
  });

  it("tooManyUncommittedBytes: a leader that leads again begins with what is in its log", () => {
    const replica = leader({ entryBytesMax: 100, uncommittedBytesMax: 4 * cost });
    replica.step({ proposals: [bytes(""), bytes(""), bytes("")] });
    replica.answer(heartbeatAnswer({ ...at, term: 2 }));
    replica.step({ ticks: 11 });
    replica.flush();
    replica.answer({ type: "RequestVoteResponse", group: 0, ...at, term: 3, granted: true });
    expect(replica.status.role).toBe("leader");
    replica.step({ proposals: [bytes("")] });
    expect(replica.proposed).toMatchObject({ count: 0, refusal: "tooManyUncommittedBytes" });
  });
});

describe("changes of the membership", () => {
  const step = (nodeId: number, type: MemberChange["type"] = "addLearner"): MemberChange => ({ type, nodeId });
  const joint = group([1, 2, 3], { votersOutgoing: [1, 2] });
  const full = group([1, 2, 3], { learners: Array.from({ length: configurationMembersMax - 3 }, (_, at) => at + 4) });
  const cases: [ChangeRefusal, Parameters<typeof tryChange>[1], typeof joint?][] = [
    ["alreadyJoint", change("l9"), joint],
    ["alreadyJoint", change("l9", "explicit"), joint],
    ["notJoint", leaveJointChange],
    ["noVotersLeft", change("r1"), group([1])],
    ["noVotersLeft", change("r1 r2 r3")],
    ["tooManyMembers", change("l2000"), full],
    ["tooManyChanges", { transition: "auto", changes: Array.from({ length: configurationChangesMax + 1 }, () => step(4)) }],
    ["contextTooLong", { transition: "auto", changes: [{ ...step(4), context: new Uint8Array(4097) }] }],
    ["invalidNodeId", { transition: "auto", changes: [step(-1)] }],
    ["invalidNodeId", { transition: "auto", changes: [step(2 ** 53)] }],
    ["unknownChange", { transition: "auto", changes: [JSON.parse('{ "type": "addWitness", "nodeId": 4 }')] }],
    ["unknownChange", JSON.parse('{ "transition": "later", "changes": [] }')],
  ];

  function tryChange(replica: TestReplica, wanted: ReturnType<typeof change>, mustKeepQuorum = false): TestReplica["changed"] {
    replica.step({ change: { change: wanted, mustKeepQuorum } });
    return replica.changed;
  }

  it.each(cases)("%s: refused, with a reason, and nothing is appended", (refusal, wanted, configuration) => {
    const replica = leader({}, configuration);
    const { lastIndex } = replica.status;
    expect(tryChange(replica, wanted)).toMatchObject({ accepted: false, refusal });
    expect(replica.status.lastIndex).toBe(lastIndex);
    expect(replica.traced("changeRefused")).toMatchObject([{ refusal, reason: expect.stringMatching(/\w+ \w+/) }]);
    // Nothing is under way: a change that fits goes through.
    if (configuration === undefined) expect(tryChange(replica, change("l4"))).toMatchObject({ accepted: true });
  });

  it("changePending: until the one before it is applied, also if that is void", () => {
    const replica = leader();
    expect(tryChange(replica, change("l4"))).toMatchObject({ accepted: true, index: 2 });
    expect(tryChange(replica, change("l5"))).toMatchObject({ accepted: false, refusal: "changePending" });
    replica.flush();
    replica.answer(accepted(at, 2));
    expect(tryChange(replica, change("l5"))).toMatchObject({ accepted: true, index: 3 });
  });

  it("notLeader, removed, transferring: as for proposals", () => {
    expect(tryChange(new TestReplica(1), change("l4"))).toEqual({
      accepted: false,
      refusal: "notLeader",
      reason: "this node is not the leader",
    });
    const handingOver = leader();
    handingOver.step({ transferTo: 2 });
    expect(tryChange(handingOver, change("l4"))).toMatchObject({ refusal: "transferring" });
    const cluster = new TestCluster(3, { stepDownOnRemoval: false });
    cluster.elect(1);
    cluster.change(1, change("r1"));
    expect(tryChange(cluster.at(1), change("l4"))).toMatchObject({ refusal: "removed" });
  });

  describe("wouldLoseQuorum", () => {
    /** A leader of 1, 2, 3 that has checked its quorum twice, and has heard only of 2 since. */
    function alone(): TestReplica {
      const replica = leader();
      for (const from of [2, 3]) replica.receive(heartbeatAnswer({ ...at, from }));
      for (let check = 0; check < 3; check++) {
        replica.receive(heartbeatAnswer(at));
        replica.step({ ticks: 10 });
      }
      return replica;
    }

    it("refuses what would leave a quorum that has not been heard of lately", () => {
      const replica = alone();
      expect(tryChange(replica, change("r2"), true)).toMatchObject({
        accepted: false,
        refusal: "wouldLoseQuorum",
        reason: "it would leave voters 1, 3, of whom 3 have not been heard of lately, and so no quorum",
      });
      expect(tryChange(replica, change("v4"), true)).toMatchObject({ refusal: "wouldLoseQuorum" });
      expect(tryChange(replica, change("v4 v5 r2"), true)).toMatchObject({ refusal: "wouldLoseQuorum" });
    });

    it("takes what leaves one, and anything if it need not care", () => {
      expect(tryChange(alone(), change("r3"), true)).toMatchObject({ accepted: true });
      expect(tryChange(alone(), change("l4"), true)).toMatchObject({ accepted: true });
      expect(tryChange(alone(), change("r2"))).toMatchObject({ accepted: true });
    });

    it("whoever was added a moment ago, and has not answered yet, is nobody to count on", () => {
      const replica = alone();
      tryChange(replica, change("l4"), true);
      replica.flush();
      replica.answer(accepted(at, 2));
      expect(replica.status.configuration.learners).toEqual([4]);
      expect(tryChange(replica, change("v4"), true)).toMatchObject({ refusal: "wouldLoseQuorum" });
      replica.receive(heartbeatAnswer({ ...at, from: 4 }));
      expect(tryChange(replica, change("v4"), true)).toMatchObject({ accepted: true });
    });

    it("a check of the quorum a moment ago makes nobody silent", () => {
      const replica = leader();
      for (const from of [2, 3]) replica.receive(heartbeatAnswer({ ...at, from }));
      replica.step({ ticks: 10 });
      expect(replica.progress(2).recentlyActive).toBe(false);
      expect(tryChange(replica, change("r3"), true)).toMatchObject({ accepted: true });
    });
  });
});
