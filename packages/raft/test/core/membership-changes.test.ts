import { describe, expect, it } from "vitest";
import { encodeConfigurationChange, leaveJointChange } from "../../src/index.js";
import { bytes, change, group, TestCluster } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, heartbeatAnswer, only } from "./messages.js";

/** A leader of three with two newcomers at hand. */
function cluster(): TestCluster {
  const made = new TestCluster(3);
  made.elect(1);
  for (const id of [4, 5]) made.join(id);
  return made;
}

const history = (made: TestCluster, id = 1) =>
  made
    .at(id)
    .traced("configuration")
    .slice(1)
    .map(({ configuration }) => configuration);

describe("transitions", () => {
  it("auto takes one step for one change", () => {
    const made = cluster();
    made.change(1, change("v4"));
    expect(history(made)).toEqual([group([1, 2, 3, 4])]);
    made.change(1, change("r4"));
    expect(history(made).at(-1)).toEqual(group([1, 2, 3]));
  });

  it("auto goes through a joint configuration for more, and leaves it by itself", () => {
    const made = cluster();
    made.change(1, change("v4 r3"));
    const joint = group([1, 2, 4], { votersOutgoing: [1, 2, 3], autoLeave: true });
    for (const id of [1, 2]) expect(history(made, id)).toEqual([joint, group([1, 2, 4])]);
    expect(made.at(1).traced("autoLeave")).toEqual([{ type: "autoLeave", index: 3, configuration: joint }]);
    expect(made.at(1).status.lastIndex).toBe(3);
  });

  it("implicit goes through a joint configuration even for one, and leaves it by itself", () => {
    const made = cluster();
    made.change(1, change("v4", "implicit"));
    expect(history(made)).toEqual([group([1, 2, 3, 4], { votersOutgoing: [1, 2, 3], autoLeave: true }), group([1, 2, 3, 4])]);
  });

  it("explicit stays joint until it is left by a change of its own", () => {
    const made = cluster();
    made.change(1, change("v4", "explicit"));
    made.tick(30);
    expect(history(made)).toEqual([group([1, 2, 3, 4], { votersOutgoing: [1, 2, 3] })]);
    made.change(1, leaveJointChange);
    expect(history(made).at(-1)).toEqual(group([1, 2, 3, 4]));
  });

  it("a voter that becomes a learner in a joint configuration votes until that is left", () => {
    const made = cluster();
    made.change(1, change("l3 v4", "explicit"));
    expect(history(made)).toEqual([group([1, 2, 4], { votersOutgoing: [1, 2, 3], learnersNext: [3] })]);
    expect(made.at(1).progress(3).isLearner).toBe(false);
    made.change(1, leaveJointChange);
    expect(history(made).at(-1)).toEqual(group([1, 2, 4], { learners: [3] }));
    expect(made.at(1).progress(3).isLearner).toBe(true);
  });

  it("a leader that becomes a learner so leads until the joint configuration is left, and steps down then", () => {
    const made = cluster();
    made.change(1, change("l1 v4", "explicit"));
    expect(made.at(1).status.role).toBe("leader");
    made.change(1, leaveJointChange);
    expect(made.at(1).status).toMatchObject({ role: "follower", configuration: group([2, 3, 4], { learners: [1] }) });
  });

  it("an update changes nobody's part; it is in the log with its context, for whoever applies it", () => {
    const made = cluster();
    const context = bytes("10.0.0.3:4000");
    expect(made.change(1, { transition: "auto", changes: [{ type: "updateNode", nodeId: 3, context }] })).toMatchObject({ accepted: true });
    expect(made.at(2).status.configuration).toEqual(group([1, 2, 3]));
    expect(made.at(2).applied.at(-1)).toMatchObject({ kind: "configuration" });
  });

  it("to replace a node takes one call, and the group could lose any one node at any time meanwhile", () => {
    const made = cluster();
    made.stop(3);
    made.change(1, change("v4 r3"), true);
    expect(made.at(4).status.configuration).toEqual(group([1, 2, 4]));
    made.run(1, { proposals: [bytes("a")] });
    expect(made.at(4).state).toEqual(["a"]);
  });

  it("the leader of a joint configuration that the whole new half replaces can hand over inside it", () => {
    const made = new TestCluster(1);
    made.elect(1);
    made.join(2);
    made.change(1, change("v2 r1", "explicit"));
    made.run(1, { transferTo: 2 });
    made.change(2, leaveJointChange);
    expect(made.leader).toMatchObject({ id: 2 });
    expect(made.at(2).status.configuration).toEqual(group([2]));
  });
});

describe("newcomers", () => {
  it("a node with an empty configuration learns the members from the log, and can lead when it is one of them", () => {
    const made = cluster();
    expect(made.at(4).status.configuration).toEqual(group([]));
    made.change(1, change("v4"));
    expect(history(made, 4)).toEqual([group([1, 2, 3, 4])]);
    expect(made.at(4).traced("configuration")[0]?.configuration).toEqual(group([1, 2, 3]));
    made.run(1, { transferTo: 4 });
    expect(made.leader.id).toBe(4);
  });

  it("it takes what it learned through a restart", () => {
    const made = cluster();
    made.change(1, change("v4"));
    made.restart(4);
    expect(made.at(4).status.configuration).toEqual(group([1, 2, 3, 4]));
  });

  it("a newcomer is fed at once, not with the next heartbeat, and a check of the quorum does not hold its silence against the leader", () => {
    const leader = leading({ configuration: group([1]) });
    leader.step({ change: { change: change("v2"), mustKeepQuorum: false } });
    const said = leader.flush();
    expect(only("AppendEntries", said)).toMatchObject([{ to: 2 }]);
    leader.step({ ticks: 10 });
    expect(leader.status.role).toBe("leader");
    leader.step({ ticks: 10 });
    expect(leader.status.role).toBe("follower");
  });

  it("a newcomer gets the snapshot that is older than its membership, and the change that added it with the log", () => {
    const made = new TestCluster(3);
    made.elect(1);
    made.run(1, { proposals: [bytes("a"), bytes("b")] });
    made.settle(made.at(1).takeSnapshot(3));
    made.join(4);
    made.change(1, change("l4"));
    made.tick(3);
    expect(made.at(4).state).toEqual(["a", "b"]);
    expect(made.at(4).status).toMatchObject({ compactedIndex: 3, configuration: group([1, 2, 3], { learners: [4] }) });
  });

  it("a node that was removed and comes back begins anew: what it once acknowledged counts for nothing", () => {
    const made = cluster();
    made.change(1, change("l4"));
    expect(made.at(1).progress(4).matchIndex).toBe(2);
    made.change(1, change("r4"));
    made.filter = ({ from, to }) => from !== 4 && to !== 4;
    made.change(1, change("l4"));
    expect(made.at(1).progress(4)).toMatchObject({ matchIndex: 0, state: "probe" });
  });

  it("so does one that is taken out and added in one change", () => {
    const made = cluster();
    made.change(1, change("l4"));
    made.filter = ({ from, to }) => from !== 4 && to !== 4;
    made.change(1, change("r4 l4"));
    expect(made.at(1).status.configuration).toEqual(group([1, 2, 3], { learners: [4] }));
    expect(made.at(1).progress(4)).toMatchObject({ matchIndex: 0, state: "probe" });
  });

  it("whoever is no member is not sent anything, and its answers are dropped", () => {
    const made = cluster();
    made.change(1, change("l4"));
    made.change(1, change("r4"));
    expect(only("Heartbeat", made.at(1).step({ ticks: 1 })).map(({ to }) => to)).toEqual([2, 3]);
    for (const late of [accepted({ from: 4, to: 1, term: 1 }, 2), heartbeatAnswer({ from: 4, to: 1, term: 7 })]) {
      made.at(1).receive(late);
      expect(made.at(1).traced("drop").at(-1)).toMatchObject({ reason: "unknownSender", message: late });
    }
    expect(made.at(1).status.currentTerm).toBe(1);
  });
});

describe("quorums that change", () => {
  it("a smaller quorum commits what waited for it", () => {
    const made = new TestCluster(4);
    made.elect(1);
    made.at(1).holdApply = true;
    made.change(1, change("r4"));
    made.filter = ({ from, to }) => [1, 2].includes(from) && [1, 2].includes(to);
    made.run(1, { proposals: [bytes("a")] });
    expect(made.at(1).status.commitIndex).toBe(2);
    made.settle(made.at(1).finishApply());
    expect(made.at(1).status.commitIndex).toBe(3);
  });

  it("a larger quorum does not take back what was committed", () => {
    const made = cluster();
    made.run(1, { proposals: [bytes("a")] });
    made.filter = ({ from, to }) => [1, 2].includes(from) && [1, 2].includes(to);
    made.change(1, change("v4 v5"));
    // Two of three commit the way into the joint configuration; the way out needs three of five.
    expect(made.at(1).status).toMatchObject({ commitIndex: 3, lastIndex: 4 });
    made.heal();
    made.tick(2);
    expect(made.at(3).status.configuration).toEqual(group([1, 2, 3, 4, 5]));
  });

  it("a committed change that cannot be carried out is void on every replica alike", () => {
    const made = new TestCluster(3, { validateChanges: false });
    made.elect(1);
    for (const id of [1, 2, 3]) made.at(id).holdApply = true;
    made.change(1, change("r2"));
    made.change(1, leaveJointChange);
    made.change(1, change("l5 r1 r2 r3"));
    for (const id of [1, 2, 3]) {
      made.at(id).holdApply = false;
      while (made.at(id).applying !== null) made.settle(made.at(id).finishApply());
      expect(made.at(id).traced("changeVoid")).toMatchObject([{ index: 3 }, { index: 4 }]);
      expect(made.at(id).status.configuration).toEqual(group([1, 3]));
    }
  });

  it("bytes that are no change, or no configuration, are void, and bring nobody down", () => {
    const follower = new TestCluster(3).at(2);
    const entry = (index: number, kind: "founding" | "configuration", data: Uint8Array) => ({ index, term: 1, kind, data });
    const entries = [
      entry(1, "founding", new Uint8Array([9])),
      entry(2, "configuration", new Uint8Array()),
      entry(3, "configuration", encodeConfigurationChange(change("l4"))),
    ];
    follower.answer({
      type: "AppendEntries",
      group: 0,
      from: 1,
      to: 2,
      term: 1,
      prevLogIndex: 0,
      prevLogTerm: 0,
      entries,
      leaderCommit: 3,
    });
    expect(follower.traced("changeVoid")).toMatchObject([{ index: 1 }, { index: 2 }]);
    expect(follower.status.configuration).toEqual(group([1, 2, 3], { learners: [4] }));
  });
});

describe("a change that would leave no quorum that is heard of", () => {
  it.each([true, false])("is refused, with check-quorum %s", (checkQuorum) => {
    const made = new TestCluster(3, { checkQuorum });
    made.elect(1);
    made.tick(5);
    made.stop(3);
    made.tick(500);
    expect(made.change(1, change("r2"), true)).toMatchObject({ accepted: false, refusal: "wouldLoseQuorum" });
    expect(made.at(1).status.role).toBe("leader");
  });
});
