import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Waiter } from "../../src/node/waiter.js";
import { WaitingEntries } from "../../src/node/waiting-entries.js";

const waiter = (): Waiter<number> =>
  new Waiter<number>(
    0,
    undefined,
    () => undefined,
    () => undefined,
  );

const index = fc.oneof(
  { weight: 8, arbitrary: fc.integer({ min: 1, max: 60 }) },
  { weight: 1, arbitrary: fc.integer({ min: 2 ** 30, max: 2 ** 52 }) },
);
const deed = fc.record({ name: fc.constantFrom("place", "place", "take", "sweep"), index });

describe("WaitingEntries", () => {
  it("behaves like a map, wherever indexes lie", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 60 }), (deeds) => {
        const entries = new WaitingEntries<number>();
        const model = new Map<number, Waiter<number>>();
        for (const { name, index } of deeds) {
          if (name === "place") {
            const one = waiter();
            expect(entries.place(index, one)).toBe(model.get(index));
            model.set(index, one);
          } else if (name === "take") {
            expect(entries.take(index)).toBe(model.get(index));
            model.delete(index);
          } else {
            const odd = (one: Waiter<number>): boolean => [...model].some(([at, other]) => other === one && at % 2 === 1);
            entries.sweep(odd);
            for (const at of [...model.keys()]) if (at % 2 === 1) model.delete(at);
          }
          expect(entries.count).toBe(model.size);
        }
      }),
      { numRuns: 2000, seed: 20 },
    );
  });

  it("takes no more memory because somebody gave up, however long others go on", () => {
    const entries = new WaitingEntries<number>();
    const lost = waiter();
    entries.place(1, lost);
    for (let at = 2; at < 20_000; at++) {
      entries.place(at, waiter());
      if (at === 10) entries.sweep((one) => one === lost);
      if (at > 5) expect(entries.take(at - 4) === undefined).toBe(false);
    }
    expect(entries.count).toBe(4);
    expect(entries.slots).toBeLessThan(5_000);
  });

  it("takes no memory by a peer's word", () => {
    const entries = new WaitingEntries<number>();
    const [near, far, low] = [waiter(), waiter(), waiter()];
    entries.place(7, near);
    entries.place(2 ** 22, waiter());
    expect(entries.slots).toBeLessThan(10);
    entries.take(2 ** 22);
    entries.place(2 ** 40, far);
    entries.place(2 ** 52, low);
    expect(entries.slots).toBeLessThan(10);
    expect([entries.take(7), entries.take(2 ** 52), entries.take(2 ** 40)]).toEqual([near, low, far]);
    expect(entries.count).toBe(0);
  });

  it("lets go of all below an index at once, however far that is", () => {
    const entries = new WaitingEntries<number>();
    const all = [7, 9, 2 ** 30, 2 ** 52].map((index) => {
      const one = waiter();
      entries.place(index, one);
      return one;
    });
    const dropped: Waiter<number>[] = [];
    entries.dropThrough(8, (one) => void dropped.push(one));
    expect(dropped).toEqual([all[0]]);
    entries.dropThrough(2 ** 51, (one) => void dropped.push(one));
    expect(dropped).toEqual(all.slice(0, 3));
    expect(entries.count).toBe(1);
    expect(entries.take(2 ** 52)).toBe(all[3]);
  });
});
