import type { NodeId } from "@octopii/interfaces";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  applyConfigurationChange,
  type Configuration,
  type ConfigurationChange,
  enterJoint,
  isJoint,
  leaveJoint,
  type MemberChange,
  type Membership,
  membersOf,
  restoreMembership,
  simpleChange,
  type Transition,
  validateConfiguration,
} from "../../src/configuration/index.js";
import { jointVoteResult } from "../../src/quorum/index.js";
import { subsetsOf } from "../quorum/slow-quorum.js";
import { accepted, anySteps, grow, stepsBesidesNode1 } from "./generators.js";

// The same cases in every run.
fc.configureGlobal({ seed: 4 });

function oneByOne(membership: Membership, lastIndex: number, changes: readonly MemberChange[]): Membership {
  return changes.reduce((before, step) => accepted(simpleChange(before, lastIndex, [step])), membership);
}

function decides(configuration: Configuration, group: ReadonlySet<NodeId>): boolean {
  return jointVoteResult(configuration.voters, configuration.votersOutgoing, (id) => group.has(id)) === "won";
}

/** Two disjoint groups of which one could decide by the old rules and the other by the new. */
function splitBrain(before: Configuration, after: Configuration): Set<NodeId> | undefined {
  const everybody = [...new Set([...membersOf(before), ...membersOf(after)])];
  return subsetsOf(everybody).find((group) => {
    const rest = new Set(everybody.filter((id) => !group.has(id)));
    return decides(before, group) && decides(after, rest);
  });
}

describe("joint consensus", () => {
  it("comes to the same as the steps one by one, in 1,000 cases", () => {
    fc.assert(
      fc.property(stepsBesidesNode1, stepsBesidesNode1, fc.nat(50), fc.boolean(), (setup, changes, lastIndex, autoLeave) => {
        const start = oneByOne(grow("v1", lastIndex), lastIndex, setup);
        const joint = accepted(enterJoint(start, lastIndex, changes, autoLeave));
        expect(joint.configuration).toMatchObject({ votersOutgoing: start.configuration.voters, autoLeave });
        expect(accepted(leaveJoint(joint, lastIndex))).toEqual(oneByOne(start, lastIndex, changes));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe("any history of changes", () => {
  const change = fc.record({ transition: fc.constantFrom<Transition>("auto", "implicit", "explicit"), changes: anySteps });
  const histories = fc.array(change, { minLength: 1, maxLength: 12 });

  /** Plays a history, leaving joint configurations when a change is refused because of one; hands each transition over. */
  function play(history: readonly ConfigurationChange[], visit: (before: Membership, after: Membership) => void): void {
    let membership = grow("v1 v2 v3");
    let lastIndex = 1;
    for (const step of history) {
      const outcome = applyConfigurationChange(membership, lastIndex++, step);
      const next = outcome.accepted ? outcome : isJoint(membership.configuration) ? leaveJoint(membership, lastIndex) : null;
      if (next === null) continue;
      const after = accepted(next);
      visit(membership, after);
      membership = after;
    }
  }

  it("lets every old quorum overlap every new one, in 1,000 cases", () => {
    let joint = 0;
    fc.assert(
      fc.property(histories, (history) => {
        play(history, (before, after) => {
          if (isJoint(after.configuration)) joint++;
          expect(splitBrain(before.configuration, after.configuration)).toBeUndefined();
        });
      }),
      { numRuns: 1_000 },
    );
    expect(joint).toBeGreaterThan(1_000);
  });

  it("is what makes the overlap: without the rule for single steps there is none", () => {
    const before = grow("v1 v2").configuration;
    expect(splitBrain(before, { ...before, voters: [2, 3] })).toBeUndefined();
    expect(splitBrain(before, { ...before, voters: [3, 4] })).toBeDefined();
    expect(splitBrain(grow("v1 v2 v3").configuration, { ...before, voters: [3, 4, 5] })).toBeDefined();
  });

  it("keeps the configuration sound, accounts for every record, and survives being stored, in 1,000 cases", () => {
    fc.assert(
      fc.property(histories, (history) => {
        play(history, (_, { configuration, progress }) => {
          expect(validateConfiguration(configuration)).toBeNull();
          expect(progress.map(({ id }) => id)).toEqual(membersOf(configuration));
          const restored = accepted(restoreMembership(configuration, 5));
          expect(restored.configuration).toEqual(configuration);
          expect(restored.progress.map(({ id, isLearner }) => [id, isLearner])).toEqual(
            progress.map(({ id, isLearner }) => [id, isLearner]),
          );
        });
      }),
      { numRuns: 1_000 },
    );
  });

  it("tells who came and who went, and changes nothing in place, in 1,000 cases", () => {
    fc.assert(
      fc.property(histories, (history) => {
        let membership = grow("v1 v2 v3");
        for (const step of history) {
          const copy = structuredClone(membership);
          const outcome = applyConfigurationChange(membership, 7, step);
          expect(membership).toEqual(copy);
          if (!outcome.accepted) continue;
          const old = membership.progress.map(({ id }) => id);
          const replayed = new Set([...old.filter((id) => !outcome.removed.includes(id)), ...outcome.added]);
          expect([...replayed].sort((a, b) => a - b)).toEqual(outcome.membership.progress.map(({ id }) => id));
          membership = outcome.membership;
        }
      }),
      { numRuns: 1_000 },
    );
  });
});
