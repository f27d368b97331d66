import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createRandom } from "../../src/index.js";

function draw(seed: number | string, count = 8): number[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => random.uint32());
}

describe("SeededRandom", () => {
  test("repeats itself for one seed, as a number or as text, and differs for another", () => {
    expect(draw(7)).toEqual(draw("7"));
    expect(draw(7)).not.toEqual(draw(8));
    expect(draw("a")).not.toEqual(draw("b"));
  });

  test("its numbers never change from one release to the next", () => {
    expect(draw(42, 4)).toEqual(GOLDEN);
  });

  test("a fork depends on seed and name alone", () => {
    const fresh = createRandom(1).fork("net").uint32();
    const used = createRandom(1);
    used.bytes(1_000);
    used.fork("disk").uint32();
    expect(used.fork("net").uint32()).toBe(fresh);
    expect(createRandom(1).fork("net/1").uint32()).not.toBe(fresh);
    expect(createRandom(1).fork("a").fork("b").uint32()).not.toBe(createRandom(1).fork("b").fork("a").uint32());
  });

  test("below and between stay in range and reach both ends", () => {
    const random = createRandom("range");
    const seen = new Set(Array.from({ length: 500 }, () => random.between(-2, 2)));
    expect([...seen].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), (bound) => {
        const drawn = random.below(bound);
        return Number.isInteger(drawn) && drawn >= 0 && drawn < bound;
      }),
    );
    for (const bound of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN]) expect(() => random.below(bound)).toThrow(RangeError);
  });

  test("bits are balanced and chances are kept", () => {
    const random = createRandom("statistics");
    const ones = new Array<number>(32).fill(0);
    for (let draws = 0; draws < 20_000; draws += 1) {
      const word = random.uint32();
      for (let bit = 0; bit < 32; bit += 1) ones[bit] = (ones[bit] ?? 0) + ((word >>> bit) & 1);
    }
    for (const count of ones) expect(Math.abs(count - 10_000)).toBeLessThan(400);
    let hits = 0;
    for (let draws = 0; draws < 20_000; draws += 1) if (random.chance(1, 10)) hits += 1;
    expect(Math.abs(hits - 2_000)).toBeLessThan(200);
    expect(random.chance(0, 5)).toBe(false);
    expect(random.chance(5, 5)).toBe(true);
  });

  test("exponential has the mean it was asked for", () => {
    const random = createRandom("mean");
    let sum = 0;
    let most = 0;
    for (let draws = 0; draws < 50_000; draws += 1) {
      const drawn = random.exponential(10);
      expect(drawn).toBeGreaterThan(0);
      sum += drawn;
      most = Math.max(most, drawn);
    }
    expect(Math.abs(sum / 50_000 - 10)).toBeLessThan(0.3);
    expect(most).toBeGreaterThan(60);
    expect(most).toBeLessThanOrEqual(220);
  });

  test("shuffle permutes, pick picks, bytes fill", () => {
    const random = createRandom("helpers");
    const items = Array.from({ length: 50 }, (_, index) => index);
    const shuffled = random.shuffle([...items]);
    expect(shuffled).not.toEqual(items);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(items);
    expect(items).toContain(random.pick(items));
    expect(() => random.pick([])).toThrow(RangeError);
    expect(random.bytes(13)).toHaveLength(13);
    expect(new Set(random.bytes(4_096)).size).toBe(256);
  });
});

/** Changing these changes what every recorded seed means: not in a patch release. */
const GOLDEN = [3876493204, 2853020710, 529830747, 255085384];
