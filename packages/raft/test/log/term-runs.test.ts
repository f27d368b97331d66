import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TermRuns } from "../../src/log/term-runs.js";

/** Terms 0 1 1 2 2 2 5 at indexes 0 to 6. */
const runs = (): TermRuns =>
  new TermRuns([
    { firstIndex: 0, term: 0 },
    { firstIndex: 1, term: 1 },
    { firstIndex: 3, term: 2 },
    { firstIndex: 6, term: 5 },
  ]);

const termsOf = (known: TermRuns, from: number, to: number): number[] =>
  Array.from({ length: to - from + 1 }, (_, at) => known.termAt(from + at));

describe("TermRuns", () => {
  it("tells every entry's term", () => {
    expect(termsOf(runs(), 0, 6)).toEqual([0, 1, 1, 2, 2, 2, 5]);
  });

  it("grows by runs, and refuses a term that falls", () => {
    const known = runs();
    known.extend(7, 5);
    known.extend(8, 9);
    expect(termsOf(known, 6, 8)).toEqual([5, 5, 9]);
    expect(() => known.extend(9, 8)).toThrow(/entry 9 has term 8 after an entry of term 9/);
  });

  it.each([
    [0, [0, 1, 1, 2, 2, 2, 5]],
    [1, [1, 1, 2, 2, 2, 5]],
    [2, [1, 2, 2, 2, 5]],
    [5, [2, 5]],
    [6, [5]],
  ])("compacted to %i, it knows that one's term and what follows", (index, rest) => {
    const known = runs();
    known.compact(index);
    expect(termsOf(known, index, 6)).toEqual(rest);
  });

  it.each([
    [6, [0, 1, 1, 2, 2, 2]],
    [5, [0, 1, 1, 2, 2]],
    [3, [0, 1, 1]],
    [1, [0]],
  ])("truncated from %i, it can grow again from there with any later term", (index, rest) => {
    const known = runs();
    known.truncate(index);
    known.extend(index, 7);
    expect(termsOf(known, 0, index)).toEqual([...rest, 7]);
  });

  it.each([
    [5, 6, 6],
    [4, 6, 5],
    [2, 6, 5],
    [2, 4, 4],
    [1, 6, 2],
    [0, 6, 0],
  ])("finds the last index with a term of at most %i at or below %i: %i", (term, index, found) => {
    expect(runs().lastIndexNotAbove(term, index)).toBe(found);
  });

  it("gives the index before all that it knows when even the first run is above", () => {
    const known = runs();
    known.compact(4);
    expect([known.lastIndexNotAbove(1, 6), known.lastIndexNotAbove(0, 4), known.lastIndexNotAbove(2, 6)]).toEqual([3, 3, 5]);
  });

  it("agrees with a plain list, whatever is done to it", () => {
    const operation = fc.oneof(
      fc.record({ kind: fc.constant("extend" as const), by: fc.nat(2), count: fc.integer({ min: 1, max: 4 }) }),
      fc.record({ kind: fc.constant("compact" as const), at: fc.nat(100) }),
      fc.record({ kind: fc.constant("truncate" as const), at: fc.nat(100) }),
    );
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 40 }), (operations) => {
        const known = new TermRuns([{ firstIndex: 0, term: 0 }]);
        let first = 0;
        const terms = [0];
        for (const step of operations) {
          const last = first + terms.length - 1;
          if (step.kind === "extend") {
            const term = (terms.at(-1) ?? 0) + step.by;
            for (let i = 1; i <= step.count; i++) {
              known.extend(last + i, term);
              terms.push(term);
            }
          } else if (step.kind === "compact") {
            const to = first + (step.at % terms.length);
            known.compact(to);
            terms.splice(0, to - first);
            first = to;
          } else if (terms.length > 1) {
            const from = first + 1 + (step.at % (terms.length - 1));
            known.truncate(from);
            terms.length = from - first;
          }
          expect(termsOf(known, first, first + terms.length - 1)).toEqual(terms);
          for (let term = 0; term <= (terms.at(-1) ?? 0); term++) {
            let expected = first + terms.length - 1;
            while (expected > first && (terms[expected - first] ?? 0) > term) expected--;
            expect(Math.max(known.lastIndexNotAbove(term, first + terms.length - 1), first)).toBe(expected);
          }
        }
      }),
      { seed: 9, numRuns: 200 },
    );
  });
});
