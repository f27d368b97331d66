import { describe, expect, it } from "vitest";
import {
  applyConfigurationChange,
  configurationMembersMax,
  emptyMembership,
  enterJoint,
  leaveJoint,
  leaveJointChange,
  type MemberChange,
  type Membership,
  restoreMembership,
  simpleChange,
} from "../../src/configuration/index.js";
import { accepted, configurationOf, expectRefusal, grow, steps } from "./generators.js";

describe("simple changes", () => {
  it("add, promote, demote and remove one at a time", () => {
    expect(grow("v1 v2 l3").configuration).toEqual(configurationOf({ voters: [1, 2], learners: [3] }));
    expect(grow("v1 v2 l3 v3").configuration).toEqual(configurationOf({ voters: [1, 2, 3] }));
    expect(grow("v1 v2 l2").configuration).toEqual(configurationOf({ voters: [1], learners: [2] }));
    expect(grow("v1 v2 r2").configuration).toEqual(configurationOf({ voters: [1] }));
  });

  it("keep ids in numeric order", () => {
    expect(grow("v10 v9 v100 v2").configuration.voters).toEqual([2, 9, 10, 100]);
  });

  it("start a newcomer at the last index, and leave the others' progress as it was", () => {
    const before = grow("v1 v2", 4);
    const outcome = simpleChange(before, 9, steps("l3"));
    expect(outcome).toMatchObject({ added: [3], removed: [] });
    const after = accepted(outcome);
    expect(after.progress[2]).toEqual({ id: 3, matchIndex: 0, nextIndex: 9, isLearner: true });
    expect(after.progress[0]).toBe(before.progress[0]);
    expect(accepted(simpleChange(emptyMembership, 0, steps("v1"))).progress[0]?.nextIndex).toBe(1);
  });

  it("begin anew with a member that was removed and comes back", () => {
    const outcome = simpleChange(grow("v1 v2", 4), 9, steps("r2 v2"));
    expect(outcome).toMatchObject({ added: [2], removed: [2] });
    expect(accepted(outcome).progress[1]?.nextIndex).toBe(9);
  });

  it("keep progress through demotion and promotion", () => {
    const outcome = simpleChange(grow("v1 v2", 4), 9, steps("l2"));
    expect(outcome).toMatchObject({ added: [], removed: [] });
    expect(accepted(outcome).progress[1]).toEqual({ id: 2, matchIndex: 0, nextIndex: 4, isLearner: true });
  });

  it("refuse more than one voter, whichever way they go", () => {
    for (const change of ["v3 v4", "r1 v3", "l1 v3", "r1 r2 v3"])
      expectRefusal(simpleChange(grow("v1 v2"), 1, steps(change)), "jointRequired");
    const outcome = simpleChange(grow("v1 v2"), 1, steps("r1 v3"));
    expect(outcome).toMatchObject({ refusal: { nodes: [1, 3] } });
  });

  it("refuse to remove all voters", () => {
    for (const change of ["r1", "l1"]) expectRefusal(simpleChange(grow("v1 l2"), 1, steps(change)), "noVotersLeft");
    expectRefusal(simpleChange(emptyMembership, 1, steps("l1")), "noVotersLeft");
  });

  it("skip steps about nobody", () => {
    expect(accepted(simpleChange(grow("v1"), 1, steps("r0 v0 l0"))).configuration).toEqual(configurationOf({ voters: [1] }));
  });
});

describe("joint changes", () => {
  const joint = (): Membership => accepted(enterJoint(grow("v1 v2 v3"), 5, steps("v4 l2 r3"), true));

  it("keep the old voters as the outgoing half", () => {
    expect(joint().configuration).toEqual(
      configurationOf({ voters: [1, 4], votersOutgoing: [1, 2, 3], learnersNext: [2], autoLeave: true }),
    );
  });

  it("treat who still votes in the outgoing half as a voter", () => {
    expect(joint().progress.map(({ id, isLearner }) => [id, isLearner])).toEqual([
      [1, false],
      [2, false],
      [3, false],
      [4, false],
    ]);
  });

  it("settle when left", () => {
    const outcome = leaveJoint(joint(), 7);
    expect(outcome).toMatchObject({ added: [], removed: [3] });
    expect(accepted(outcome).configuration).toEqual(configurationOf({ voters: [1, 4], learners: [2] }));
    expect(accepted(outcome).progress.map(({ id, isLearner }) => [id, isLearner])).toEqual([
      [1, false],
      [2, true],
      [4, false],
    ]);
  });

  it("make a returning voter of one that was removed or demoted in the same change", () => {
    const back = accepted(enterJoint(grow("v1 v2 v3"), 5, steps("r2 v2 l3 v3"), false));
    expect(back.configuration).toEqual(configurationOf({ voters: [1, 2, 3], votersOutgoing: [1, 2, 3] }));
  });

  it("are refused in the wrong phase", () => {
    expectRefusal(enterJoint(joint(), 5, steps("v9"), false), "alreadyJoint");
    expectRefusal(simpleChange(joint(), 5, steps("l9")), "alreadyJoint");
    expectRefusal(leaveJoint(grow("v1"), 5), "notJoint");
    expectRefusal(leaveJoint(emptyMembership, 5), "notJoint");
    expectRefusal(enterJoint(emptyMembership, 5, steps("v1"), false), "noVotersYet");
    expectRefusal(enterJoint(grow("v1 v2"), 5, steps("r1 l2"), false), "noVotersLeft");
  });
});

describe("the way a change takes", () => {
  const start = (): Membership => grow("v1 v2 v3");

  it("is one step for a single automatic change, and joint with leaving by itself for more", () => {
    const single = accepted(applyConfigurationChange(start(), 5, { transition: "auto", changes: steps("v4") }));
    expect(single.configuration).toEqual(configurationOf({ voters: [1, 2, 3, 4] }));
    const double = accepted(applyConfigurationChange(start(), 5, { transition: "auto", changes: steps("v4 v5") }));
    expect(double.configuration).toMatchObject({ votersOutgoing: [1, 2, 3], autoLeave: true });
  });

  it("is joint on demand, left by itself only if implicit", () => {
    const implicit = accepted(applyConfigurationChange(start(), 5, { transition: "implicit", changes: steps("v4") }));
    expect(implicit.configuration).toMatchObject({ votersOutgoing: [1, 2, 3], autoLeave: true });
    const explicit = accepted(applyConfigurationChange(start(), 5, { transition: "explicit", changes: steps("v4") }));
    expect(explicit.configuration).toMatchObject({ votersOutgoing: [1, 2, 3], autoLeave: false });
    expect(accepted(applyConfigurationChange(explicit, 6, leaveJointChange)).configuration).toEqual(
      configurationOf({ voters: [1, 2, 3, 4] }),
    );
    expectRefusal(applyConfigurationChange(start(), 5, leaveJointChange), "notJoint");
  });
});

describe("limits and unsound input", () => {
  const learners = (count: number): MemberChange[] =>
    Array.from({ length: count }, (_, at): MemberChange => ({ type: "addLearner", nodeId: 100 + at }));

  it("refuses more members than allowed, and takes as many as allowed", () => {
    const full = accepted(simpleChange(grow("v1"), 1, learners(configurationMembersMax - 1)));
    expect(full.progress).toHaveLength(configurationMembersMax);
    expectRefusal(simpleChange(full, 1, steps("l2")), "tooManyMembers");
    expectRefusal(simpleChange(full, 1, steps("v2")), "tooManyMembers");
  });

  it("refuses ids that are none", () => {
    for (const nodeId of [-1, 1.5, Number.NaN, 2 ** 53]) {
      expectRefusal(simpleChange(grow("v1"), 1, [{ type: "addLearner", nodeId }]), "invalidNodeId");
    }
  });

  it("refuses a membership whose records are not its configuration's", () => {
    const { configuration, progress } = grow("v1 v2 l3");
    for (const records of [progress.slice(1), progress.map((record) => ({ ...record, isLearner: false })), [...progress].reverse()]) {
      expectRefusal(simpleChange({ configuration, progress: records }, 1, steps("v4")), "inconsistent");
    }
    const unsound = { configuration: configurationOf({ voters: [1], learners: [1] }), progress: [] };
    for (const outcome of [simpleChange(unsound, 1, []), enterJoint(unsound, 1, [], true), leaveJoint(unsound, 1)]) {
      expectRefusal(outcome, "inconsistent");
    }
  });

  it("insists on a last index", () => {
    expect(() => simpleChange(emptyMembership, Number.NaN, steps("v1"))).toThrow(/last index NaN/);
  });

  it("restores a sound configuration and refuses others", () => {
    const configuration = configurationOf({ voters: [1, 4], votersOutgoing: [1, 2, 3], learnersNext: [2], learners: [9] });
    const outcome = restoreMembership(configuration, 12);
    expect(outcome).toMatchObject({ added: [1, 2, 3, 4, 9], removed: [], membership: { configuration } });
    expect(accepted(outcome).progress[4]).toEqual({ id: 9, matchIndex: 0, nextIndex: 12, isLearner: true });
    expectRefusal(restoreMembership(configurationOf({ learners: [1] }), 12), "inconsistent");
  });
});
