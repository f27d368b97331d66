import fc from "fast-check";
import { expect, test } from "vitest";
import { EventHeap } from "../../src/world/event-heap.js";
import { Lifetime } from "../../src/world/lifetime.js";
import { eventKind, SimulatedEvent } from "../../src/world/simulated-event.js";

const lifetime = new Lifetime("test", 0);
const kind = eventKind("test");

test("events come out by time and rank, whatever was cancelled and whenever the heap was swept", () => {
  const entry = fc.record({ time: fc.nat(20), rank: fc.nat(20), cancel: fc.boolean(), popAfter: fc.boolean() });
  fc.assert(
    fc.property(fc.array(entry, { maxLength: 200 }), (entries) => {
      const heap = new EventHeap();
      const model: { time: number; rank: number; event: SimulatedEvent }[] = [];
      const popBoth = (): void => {
        model.sort((a, b) => a.time - b.time || a.rank - b.rank);
        if (model.length === 0) return expect(heap.pop()).toBeNull();
        const first = [heap.firstTime, heap.firstRank];
        heap.pop();
        const expected = model.shift();
        expect(first).toEqual([expected?.time, expected?.rank]);
      };
      for (const { time, rank, cancel, popAfter } of entries) {
        const event = new SimulatedEvent(lifetime, kind, 0, false, () => undefined, heap);
        heap.push(time, rank, event);
        model.push({ time, rank, event });
        if (cancel) event.cancel();
        if (popAfter) popBoth();
      }
      expect(heap.size).toBe(model.length);
      while (model.length > 0) popBoth();
      expect(heap.pop()).toBeNull();
    }),
  );
});

test("cancelled events do not pile up", () => {
  const heap = new EventHeap();
  const keep = new SimulatedEvent(lifetime, kind, 0, false, () => undefined, heap);
  heap.push(5, 0, keep);
  for (let count = 0; count < 100_000; count += 1) {
    const event = new SimulatedEvent(lifetime, kind, 0, false, () => undefined, heap);
    heap.push(1_000 + count, 0, event);
    event.cancel();
    event.cancel();
  }
  expect(heap.size).toBeLessThan(3_000);
  expect(heap.pop()).toBe(keep);
});
