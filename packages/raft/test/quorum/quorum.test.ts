import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  jointCommittedIndex,
  jointVoteResult,
  majorityCommittedIndex,
  majorityVoteResult,
  unboundedIndex,
} from "../../src/quorum/index.js";
import { slowCommittedIndex, slowVoteResult } from "./slow-quorum.js";

// The same cases in every run.
fc.configureGlobal({ seed: 4 });

const ids = (maxLength: number): fc.Arbitrary<number[]> =>
  fc.uniqueArray(fc.integer({ min: 1, max: 12 }), { maxLength }).map((list) => list.sort((a, b) => a - b));
/** Few distinct small indexes, so that ties are common, and some at the edge of the safe integers. */
const indexes = fc.dictionary(
  fc.integer({ min: 1, max: 12 }).map(String),
  fc.oneof({ weight: 6, arbitrary: fc.nat(8) }, { weight: 1, arbitrary: fc.integer({ min: 2 ** 31, max: Number.MAX_SAFE_INTEGER }) }),
  { maxKeys: 12 },
);
const votes = fc.dictionary(fc.integer({ min: 1, max: 12 }).map(String), fc.boolean(), { maxKeys: 12 });

describe("majority", () => {
  it("commits everything and wins every vote without voters", () => {
    expect(majorityCommittedIndex([], () => 7)).toBe(unboundedIndex);
    expect(majorityVoteResult([], () => false)).toBe("won");
  });

  it.each([
    [[5], 5],
    [[5, 9], 5],
    [[9, 5, 7], 7],
    [[1, 2, 3, 4], 2],
    [[4, 3, 2, 1, 5], 3],
    [[0, 0, 8, 8, 8], 8],
  ])("of %j commits %i", (matches, committed) => {
    const voters = matches.map((_, at) => at + 1);
    expect(majorityCommittedIndex(voters, (id) => matches[id - 1] ?? 0)).toBe(committed);
  });

  it("takes more voters than fit the scratch, and few again afterwards", () => {
    const voters = Array.from({ length: 101 }, (_, at) => at + 1);
    expect(majorityCommittedIndex(voters, (id) => 1000 - id)).toBe(949);
    expect(majorityCommittedIndex([1, 2, 3], (id) => id)).toBe(2);
  });

  it("asks each voter once and changes nothing", () => {
    const voters = Object.freeze([3, 5, 9]);
    const asked: number[] = [];
    majorityCommittedIndex(voters, (id) => asked.push(id));
    expect(asked).toEqual([3, 5, 9]);
  });
});

describe("against the slow definition", () => {
  it("commits the same index in 50,000 cases", () => {
    fc.assert(
      fc.property(ids(9), ids(9), indexes, (voters, outgoing, known) => {
        const matchIndexOf = (id: number): number => known[id] ?? 0;
        expect(majorityCommittedIndex(voters, matchIndexOf)).toBe(slowCommittedIndex([voters], matchIndexOf));
        const joint = jointCommittedIndex(voters, outgoing, matchIndexOf);
        if (joint !== slowCommittedIndex([voters, outgoing], matchIndexOf)) throw new Error(`joint index ${joint}`);
        if (joint !== jointCommittedIndex(outgoing, voters, matchIndexOf)) throw new Error("the halves are not symmetric");
      }),
      { numRuns: 50_000 },
    );
  });

  it("sees votes the same way in 50,000 cases", () => {
    fc.assert(
      fc.property(ids(5), ids(5), votes, (voters, outgoing, cast) => {
        const voteOf = (id: number): boolean | undefined => cast[id];
        expect(majorityVoteResult(voters, voteOf)).toBe(slowVoteResult([voters], voteOf));
        const joint = jointVoteResult(voters, outgoing, voteOf);
        if (joint !== slowVoteResult([voters, outgoing], voteOf)) throw new Error(`joint vote ${joint}`);
        if (joint !== jointVoteResult(outgoing, voters, voteOf)) throw new Error("the halves are not symmetric");
      }),
      { numRuns: 50_000 },
    );
  });

  it("never lets an index sink when a match rises, in 5,000 cases", () => {
    fc.assert(
      fc.property(ids(7), ids(7), indexes, fc.integer({ min: 1, max: 12 }), (voters, outgoing, known, raised) => {
        const before = jointCommittedIndex(voters, outgoing, (id) => known[id] ?? 0);
        const after = jointCommittedIndex(voters, outgoing, (id) => (known[id] ?? 0) + (id === raised ? 1 : 0));
        expect(after).toBeGreaterThanOrEqual(before);
      }),
      { numRuns: 5_000 },
    );
  });
});
