import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Inflights } from "../../src/core/inflights.js";

describe("Inflights", () => {
  it("is full by count", () => {
    const inflights = new Inflights(2, 1_000);
    inflights.add(1, 1);
    expect(inflights.isFull).toBe(false);
    inflights.add(2, 1);
    expect(inflights.isFull).toBe(true);
    inflights.freeThrough(1);
    expect([inflights.count, inflights.isFull]).toEqual([1, false]);
  });

  it("is full by bytes, which a single message may exceed", () => {
    const inflights = new Inflights(10, 100);
    inflights.add(1, 500);
    expect(inflights.isFull).toBe(true);
    inflights.freeThrough(1);
    inflights.add(2, 99);
    expect(inflights.isFull).toBe(false);
    inflights.add(3, 1);
    expect(inflights.isFull).toBe(true);
  });

  it("frees all that an acknowledgement covers, and nothing by an old one", () => {
    const inflights = new Inflights(10, 100);
    for (const index of [3, 6, 9]) inflights.add(index, 10);
    inflights.freeThrough(2);
    expect(inflights.count).toBe(3);
    inflights.freeThrough(7);
    expect(inflights.count).toBe(1);
    inflights.reset();
    expect([inflights.count, inflights.isFull]).toEqual([0, false]);
  });

  it("agrees with a plain list, through growth and wrapping around", () => {
    const operation = fc.oneof(fc.record({ add: fc.integer({ min: 0, max: 50 }) }), fc.record({ free: fc.nat(8) }));
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 200 }), fc.integer({ min: 1, max: 70 }), (operations, countMax) => {
        const inflights = new Inflights(countMax, 400);
        let list: { index: number; size: number }[] = [];
        let next = 1;
        for (const step of operations) {
          if ("free" in step) {
            const through = (list[0]?.index ?? next) + step.free - 1;
            inflights.freeThrough(through);
            list = list.filter(({ index }) => index > through);
          } else if (!inflights.isFull) {
            inflights.add(next, step.add);
            list.push({ index: next++, size: step.add });
          }
          expect(inflights.count).toBe(list.length);
          expect(inflights.isFull).toBe(list.length >= countMax || list.reduce((sum, { size }) => sum + size, 0) >= 400);
        }
      }),
      { seed: 2, numRuns: 300 },
    );
  });
});
