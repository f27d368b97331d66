import { describe, expect, it } from "vitest";
import {
  type Configuration,
  changeContextBytesMax,
  configurationChangesMax,
  configurationMembersMax,
  emptyConfiguration,
  isJoint,
  type MemberChangeType,
  membersOf,
  type Transition,
  validateConfiguration,
  validateConfigurationChange,
} from "../../src/configuration/index.js";
import { configurationOf, steps } from "./generators.js";

describe("a sound configuration", () => {
  it.each<Partial<Configuration>>([
    {},
    { voters: [1] },
    { voters: [1, 2], learners: [3, 4] },
    { voters: [1], votersOutgoing: [1], autoLeave: true },
    { voters: [3], votersOutgoing: [1, 2], learnersNext: [1, 2], learners: [4] },
  ])("%j", (parts) => {
    expect(validateConfiguration(configurationOf(parts))).toBeNull();
  });

  it("lists its members once each, in order", () => {
    const configuration = configurationOf({ voters: [3, 10], votersOutgoing: [2, 3], learnersNext: [2], learners: [1] });
    expect(membersOf(configuration)).toEqual([1, 2, 3, 10]);
    expect(isJoint(configuration)).toBe(true);
    expect(isJoint(emptyConfiguration)).toBe(false);
  });
});

describe("an unsound configuration", () => {
  it.each<[Partial<Configuration>, string, RegExp]>([
    [{ voters: [2, 1] }, "inconsistent", /ascending/],
    [{ voters: [1, 1] }, "inconsistent", /each id once/],
    [{ voters: [0] }, "invalidNodeId", /0 in voters/],
    [{ voters: [1.5] }, "invalidNodeId", /safe integers/],
    [{ voters: [1], learners: [1] }, "inconsistent", /both voters and learners/],
    [{ voters: [1], votersOutgoing: [2], learners: [2] }, "inconsistent", /outgoing half/],
    [{ voters: [1], votersOutgoing: [1], learnersNext: [1] }, "inconsistent", /incoming voters/],
    [{ voters: [1], votersOutgoing: [1], learnersNext: [2] }, "inconsistent", /not outgoing voters/],
    [{ voters: [1], learnersNext: [2] }, "inconsistent", /not outgoing voters/],
    [{ votersOutgoing: [1] }, "inconsistent", /must have a voter/],
    [{ learners: [1] }, "inconsistent", /must have a voter/],
    [{ voters: [1], autoLeave: true }, "inconsistent", /only a joint/],
  ])("%j is %s", (parts, code, message) => {
    expect(validateConfiguration(configurationOf(parts))).toMatchObject({ code, message: expect.stringMatching(message) });
  });

  it("has too many members, in one list or over all", () => {
    const range = (from: number, count: number): number[] => Array.from({ length: count }, (_, at) => from + at);
    const half = configurationMembersMax / 2;
    expect(validateConfiguration(configurationOf({ voters: range(1, configurationMembersMax) }))).toBeNull();
    expect(validateConfiguration(configurationOf({ voters: range(1, half), learners: range(half + 1, half) }))).toBeNull();
    for (const parts of [
      { voters: range(1, configurationMembersMax + 1) },
      { voters: range(1, half), learners: range(half + 1, half + 1) },
    ]) {
      expect(validateConfiguration(configurationOf(parts))).toMatchObject({ code: "tooManyMembers" });
    }
  });
});

describe("a change on its own", () => {
  it("is accepted up to its limits", () => {
    const context = new Uint8Array(changeContextBytesMax);
    expect(validateConfigurationChange({ transition: "auto", changes: [{ type: "addVoter", nodeId: 1, context }] })).toBeNull();
    const changes = Array.from({ length: configurationChangesMax }, () => steps("v1")).flat();
    expect(validateConfigurationChange({ transition: "explicit", changes })).toBeNull();
    expect(validateConfigurationChange({ transition: "explicit", changes: [...changes, ...changes] })).toMatchObject({
      code: "tooManyChanges",
    });
  });

  it("is refused when malformed", () => {
    const context = new Uint8Array(changeContextBytesMax + 1);
    const check = (type: string, nodeId: number, transition = "auto", bytes?: Uint8Array): unknown =>
      validateConfigurationChange({
        transition: transition as Transition,
        changes: [{ type: type as MemberChangeType, nodeId, ...(bytes === undefined ? {} : { context: bytes }) }],
      });
    expect(check("addVoter", 1, "auto", context)).toMatchObject({ code: "contextTooLong", nodes: [1] });
    expect(check("addVoter", -1)).toMatchObject({ code: "invalidNodeId" });
    expect(check("addWitness", 1)).toMatchObject({ code: "unknownChange" });
    expect(check("addVoter", 1, "sometimes")).toMatchObject({ code: "unknownChange" });
  });
});
