import { describe, expect, it } from "vitest";
import { entry, Group } from "./group.js";

const whole = [entry(1, 1, "a"), entry(2, 1, "b"), entry(3, 1, "c")];

/** Node 1 leads term 1, and has appended three entries. */
function written(): Group {
  const group = new Group();
  group.elect(1, 1, [2]);
  group.append(1, ...whole);
  return group;
}

describe("what the files of a node hold", () => {
  it("is all that it said it had written, if it was closed in good order", () => {
    const { oracle } = written();
    oracle.checkStored(1, { compactedIndex: 0, lastIndex: 3, entries: whole }, true);
    const short = { compactedIndex: 0, lastIndex: 2, entries: whole.slice(0, 2) };
    expect(() => oracle.checkStored(1, short, true)).toThrow(/end at entry 2, and it said 3/);
    oracle.checkStored(1, short, false);
  });

  it("is never anything that nobody wrote", () => {
    const { oracle } = written();
    const other = [entry(1, 1, "a"), entry(2, 1, "x"), entry(3, 1, "c")];
    for (const isComplete of [true, false])
      expect(() => oracle.checkStored(1, { compactedIndex: 0, lastIndex: 3, entries: other }, isComplete)).toThrow(
        /entry 2 that nobody wrote/,
      );
  });

  it("is of no interest where nobody was heard of", () => {
    const { oracle } = written();
    expect([oracle.knows(1), oracle.knows(9)]).toEqual([true, false]);
    oracle.checkStored(9, { compactedIndex: 0, lastIndex: 9, entries: [] }, true);
  });
});
