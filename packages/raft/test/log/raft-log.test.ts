import { describe, expect, it } from "vitest";
import { type LogStart, RaftLog } from "../../src/log/raft-log.js";
import { entryMemoryBytes } from "../../src/types.js";
import { entries } from "./entries.js";

const empty: LogStart = { compactedIndex: 0, lastIndex: 0, terms: [{ firstIndex: 0, term: 0 }], commitIndex: 0, appliedIndex: 0 };

/** A log that holds entries of `terms`, none of them written. */
function logOf(terms: readonly number[], start: LogStart = empty, cacheBytesMax = 1_000_000): RaftLog {
  const log = new RaftLog(start, cacheBytesMax);
  for (const entry of entries(start.lastIndex + 1, terms)) log.append(entry);
  return log;
}

/** All of it is written, durable, committed and applied up to `index`. */
function settle(log: RaftLog, index: number): RaftLog {
  log.takeUnwritten();
  log.markDurable(log.lastIndex);
  log.commitTo(index);
  log.applyingIndex = index;
  log.markApplied(index);
  return log;
}

describe("RaftLog", () => {
  it.each([
    [{ ...empty, appliedIndex: 1 }, /applied 1 is beyond committed 0/],
    [{ ...empty, commitIndex: 1, appliedIndex: 1 }, /committed 1 is beyond the last entry 0/],
  ])("does not start from what cannot be: %j", (start, message) => {
    expect(() => new RaftLog(start, 1)).toThrow(message);
  });

  it("starts with everything durable that storage gave, and nothing of it in memory", () => {
    const log = new RaftLog(
      {
        ...empty,
        lastIndex: 3,
        terms: [
          { firstIndex: 0, term: 0 },
          { firstIndex: 1, term: 2 },
        ],
        commitIndex: 2,
        appliedIndex: 1,
      },
      1,
    );
    expect(log).toMatchObject({
      lastIndex: 3,
      durableIndex: 3,
      handedOverIndex: 3,
      committedIndex: 2,
      appliedIndex: 1,
      applyingIndex: 1,
      lastTerm: 2,
    });
    expect(log.isCached(3)).toBe(false);
    expect(log.takeUnwritten()).toEqual([]);
  });

  it("knows no term beyond its ends", () => {
    const log = logOf([1, 1, 3], {
      ...empty,
      compactedIndex: 4,
      lastIndex: 4,
      terms: [{ firstIndex: 4, term: 1 }],
      commitIndex: 4,
      appliedIndex: 4,
    });
    expect([3, 4, 5, 7, 8].map((index) => log.termAt(index))).toEqual([-1, 1, 1, 3, -1]);
    expect(log.matches(4, 1)).toBe(true);
    expect(log.matches(3, 1)).toBe(false);
    expect(log.matches(8, 3)).toBe(false);
  });

  it("§5.4.1: compares logs by their last term, and then by their length", () => {
    const log = logOf([1, 2, 2]);
    expect(
      [
        [3, 2],
        [4, 2],
        [1, 3],
        [2, 2],
        [9, 1],
      ].map(([index = 0, term = 0]) => log.isUpToDate(index, term)),
    ).toEqual([true, true, true, false, false]);
  });

  it("finds where logs may match, from a hint beyond its end as well", () => {
    const log = logOf([1, 1, 3, 3, 6]);
    expect(
      [
        [5, 6],
        [5, 5],
        [9, 2],
        [4, 3],
        [2, 0],
      ].map(([index = 0, term = 0]) => log.findConflict(index, term)),
    ).toEqual([5, 4, 2, 4, 0]);
  });

  it("appends at its end only", () => {
    const log = logOf([1]);
    for (const at of [1, 3]) expect(() => entries(at, [1]).map((entry) => log.append(entry))).toThrow(/appended after 1/);
  });

  it("gives every entry to storage once, and those that replaced others again", () => {
    const log = logOf([1, 1, 1]);
    expect(log.takeUnwritten().map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(log.takeUnwritten()).toEqual([]);
    log.markDurable(3);
    log.truncate(2);
    expect(log).toMatchObject({ lastIndex: 1, durableIndex: 1, handedOverIndex: 1 });
    for (const entry of entries(2, [4])) log.append(entry);
    expect(log.takeUnwritten()).toMatchObject([{ index: 2, term: 4 }]);
  });

  it("never truncates what is committed, nor commits what is not there, nor goes back", () => {
    const log = logOf([1, 1, 1]);
    expect([log.commitTo(2), log.commitTo(2), log.commitTo(1), log.committedIndex]).toEqual([true, false, false, 2]);
    expect(() => log.truncate(2)).toThrow(/entry 2 removed though 2 is committed/);
    expect(() => log.commitTo(4)).toThrow(/commit of 4 beyond the last entry 3/);
  });

  it("durable never goes back but by a truncation", () => {
    const log = logOf([1, 1, 1]);
    log.markDurable(3);
    log.markDurable(1);
    expect(log.durableIndex).toBe(3);
  });

  it("lets the state machine go as far as is both committed and durable", () => {
    const log = logOf([1, 1, 1]);
    log.commitTo(3);
    log.markDurable(2);
    expect(log.applicableIndex).toBe(2);
    log.markDurable(3);
    expect(log.applicableIndex).toBe(3);
  });

  it("takes no word of an apply that was not given out, or was counted already", () => {
    const log = settle(logOf([1, 1, 1]), 2);
    expect(() => log.markApplied(3)).toThrow(/applied 3 before it was given out \(2\)/);
    expect(() => log.markApplied(1)).toThrow(/applied 1 after 2/);
  });

  it("keeps the term of what it compacts to, and compacts nothing that is not applied and durable", () => {
    const log = settle(logOf([1, 2, 3, 3]), 3);
    log.compact(2);
    expect(log).toMatchObject({ compactedIndex: 2, firstCachedIndex: 3 });
    expect([1, 2, 3].map((index) => log.termAt(index))).toEqual([-1, 2, 3]);
    log.compact(1);
    expect(log.compactedIndex).toBe(2);
    expect(() => log.compact(4)).toThrow(/entry 4 compacted before it was applied and durable/);
  });

  it("compacted to its very end, it goes on from there", () => {
    const log = settle(logOf([1, 2]), 2);
    log.compact(2);
    expect(log).toMatchObject({ lastIndex: 2, lastTerm: 2, firstCachedIndex: 3 });
    for (const entry of entries(3, [2])) log.append(entry);
    expect(log.takeUnwritten()).toHaveLength(1);
  });

  it("a snapshot takes the place of everything, durable or not", () => {
    const log = logOf([1, 1, 1]);
    log.takeUnwritten();
    log.markDurable(3);
    log.restore({ index: 2, term: 9, configuration: { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false } });
    expect(log).toMatchObject({
      compactedIndex: 2,
      lastIndex: 2,
      lastTerm: 9,
      committedIndex: 2,
      durableIndex: 0,
      appliedIndex: 0,
      restoringIndex: 2,
    });
    expect(log.takeUnwritten()).toEqual([]);
    // What was being applied does not count, nor does the end of another snapshot's restoration.
    log.markApplied(1);
    log.markRestored(1);
    expect(log).toMatchObject({ appliedIndex: 0, restoringIndex: 2 });
    log.markRestored(2);
    expect(log).toMatchObject({ appliedIndex: 2, applyingIndex: 2, restoringIndex: 0 });
    const older = {
      index: 2,
      term: 9,
      configuration: { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
    };
    expect(() => log.restore(older)).toThrow(/snapshot 2 is not beyond the commit index 2/);
  });

  it("holds in memory what is not applied and durable, whatever the limit", () => {
    const log = logOf([1, 1, 1, 1], empty, 0);
    log.takeUnwritten();
    log.commitTo(4);
    log.markDurable(2);
    log.applyingIndex = 2;
    log.markApplied(2);
    expect([1, 2, 3, 4, 5].map((index) => log.isCached(index))).toEqual([false, false, true, true, false]);
  });

  it("counts what entries cost, as far as they are in memory", () => {
    const log = settle(logOf([1, 1, 1, 1], empty, 2 * entryMemoryBytes), 4);
    expect(log.bytesBetween(1, 4)).toBe(2 * entryMemoryBytes);
    expect(log.bytesBetween(4, 4)).toBe(entryMemoryBytes);
    expect(log.bytesBetween(5, 4)).toBe(0);
  });

  it.each([
    [1, 64, true],
    [1, 65, false],
    [4, 16, true],
    [4, 17, false],
    [5, 1, false],
  ])("tells whether the entries from %i on fill a message of %i bytes: %s", (from, bytes, fill) => {
    expect(logOf([1, 1, 1, 1]).wireBytesReach(from, bytes)).toBe(fill);
  });

  it("takes entries that only the disk has for enough", () => {
    const log = settle(logOf([1, 1, 1, 1], empty, 0), 4);
    expect(log.wireBytesReach(2, 1_000)).toBe(true);
  });
});
