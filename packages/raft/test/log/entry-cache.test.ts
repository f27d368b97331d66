import { describe, expect, it } from "vitest";
import { EntryCache } from "../../src/log/entry-cache.js";
import { entryMemoryBytes } from "../../src/types.js";
import { entries } from "./entries.js";

function cacheOf(first: number, count: number, size = 0): EntryCache {
  const cache = new EntryCache(first);
  for (const entry of entries(
    first,
    Array.from({ length: count }, () => 1),
    size,
  ))
    cache.push(entry);
  return cache;
}

const indexes = (cache: EntryCache, from: number, to: number, maxBytes = Number.POSITIVE_INFINITY): number[] =>
  cache.slice(from, to, maxBytes).map(({ index }) => index);

describe("EntryCache", () => {
  it("begins empty, where the next entry will be", () => {
    const cache = new EntryCache(5);
    expect([cache.firstIndex, cache.bytes]).toEqual([5, 0]);
  });

  it("gives entries by index, and slices with both ends", () => {
    const cache = cacheOf(5, 4);
    expect(cache.at(7).index).toBe(7);
    expect(indexes(cache, 6, 8)).toEqual([6, 7, 8]);
  });

  it.each([
    [1, [1]],
    [51, [1]],
    [52, [1, 2]],
    [78, [1, 2, 3]],
    [1_000, [1, 2, 3, 4]],
  ])("of entries of 10 bytes and 16 more on the wire, %i bytes give %j: at least one", (maxBytes, expected) => {
    expect(indexes(cacheOf(1, 4, 10), 1, 4, maxBytes)).toEqual(expected);
  });

  it("forgets what is truncated, and counts its bytes no more", () => {
    const cache = cacheOf(1, 5, 10);
    cache.truncate(4);
    expect(indexes(cache, 1, 3)).toEqual([1, 2, 3]);
    expect(cache.bytes).toBe(3 * (10 + entryMemoryBytes));
  });

  it("truncated at or before its first entry, it is empty, and goes on from there", () => {
    for (const at of [3, 2]) {
      const cache = cacheOf(3, 2);
      cache.truncate(at);
      expect([cache.firstIndex, cache.bytes]).toEqual([at, 0]);
      for (const entry of entries(at, [2])) cache.push(entry);
      expect(indexes(cache, at, at)).toEqual([at]);
    }
  });

  it("shrinks to a limit from the oldest on, and never above what it may drop", () => {
    const cache = cacheOf(1, 10);
    cache.shrink(4 * entryMemoryBytes, 3);
    expect([cache.firstIndex, cache.bytes]).toEqual([4, 7 * entryMemoryBytes]);
    cache.shrink(4 * entryMemoryBytes, 10);
    expect([cache.firstIndex, cache.bytes]).toEqual([7, 4 * entryMemoryBytes]);
    cache.shrink(0, 10);
    expect([cache.firstIndex, cache.bytes]).toEqual([11, 0]);
    cache.shrink(0, 50);
    expect(cache.firstIndex).toBe(11);
  });

  it("drops what was compacted, and keeps the rest", () => {
    const cache = cacheOf(5, 4);
    cache.dropThrough(6);
    expect(indexes(cache, 7, 8)).toEqual([7, 8]);
    cache.dropThrough(2);
    expect(cache.firstIndex).toBe(7);
  });

  it("keeps its bookkeeping small: what was dropped takes no room, whatever has gone through it", () => {
    const cache = new EntryCache(1);
    for (let index = 1; index <= 5_000; index++) {
      for (const entry of entries(index, [1])) cache.push(entry);
      cache.shrink(10 * entryMemoryBytes, index);
      expect(cache.bytes).toBeLessThanOrEqual(10 * entryMemoryBytes);
    }
    expect(cache.firstIndex).toBe(4_991);
    expect(indexes(cache, 4_991, 5_000)).toHaveLength(10);
    cache.truncate(4_995);
    expect(indexes(cache, 4_991, 4_994)).toEqual([4_991, 4_992, 4_993, 4_994]);
  });
});
