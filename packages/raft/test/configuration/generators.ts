import fc from "fast-check";
import { expect } from "vitest";
import {
  type Configuration,
  emptyMembership,
  type MemberChange,
  type Membership,
  type MembershipOutcome,
  type MembershipRefusalCode,
  simpleChange,
} from "../../src/configuration/index.js";

const letters = { v: "addVoter", l: "addLearner", r: "removeNode", u: "updateNode" } as const;

/** Reads the short notation: `v1 l2 r3 u4`. */
export function steps(notation: string): MemberChange[] {
  return notation
    .split(" ")
    .filter((word) => word !== "")
    .map((word) => {
      const type = letters[word[0] as keyof typeof letters];
      return { type, nodeId: Number(word.slice(1)) };
    });
}

/** A configuration from its parts. */
export function configurationOf(parts: Partial<Configuration>): Configuration {
  return { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false, ...parts };
}

export function accepted(outcome: MembershipOutcome): Membership {
  if (!outcome.accepted) throw new Error(`refused: ${outcome.refusal.message}`);
  return outcome.membership;
}

export function expectRefusal(outcome: MembershipOutcome, code: MembershipRefusalCode): void {
  expect(outcome).toMatchObject({ accepted: false, refusal: { code, message: expect.stringMatching(/\w/) } });
}

/** Starts from nobody and adds one by one. */
export function grow(notation: string, lastIndex = 0): Membership {
  return steps(notation).reduce((membership, step) => accepted(simpleChange(membership, lastIndex, [step])), emptyMembership);
}

const stepOn = (lowestId: number): fc.Arbitrary<MemberChange> =>
  fc.record({
    type: fc.constantFrom<MemberChange["type"]>("addVoter", "addLearner", "removeNode", "updateNode"),
    nodeId: fc.integer({ min: lowestId, max: 6 }),
  });

/** Steps that leave node 1 alone: while it votes, no step can leave the group without voters. */
export const stepsBesidesNode1: fc.Arbitrary<MemberChange[]> = fc.array(stepOn(2), { maxLength: 8 });

export const anySteps: fc.Arbitrary<MemberChange[]> = fc.array(stepOn(1), { maxLength: 8 });
