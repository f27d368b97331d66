import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type DeadlineEntry, DeadlineQueue } from "../src/deadline-queue.js";
import { ManualTime } from "./support/manual-time.js";

class Entry implements DeadlineEntry {
  readonly deadline: number;
  heapIndex = -1;
  expiredAt: number | null = null;
  readonly #time: ManualTime;

  constructor(time: ManualTime, delayMs: number) {
    this.#time = time;
    this.deadline = time.now() + delayMs;
  }

  expire(): void {
    this.expiredAt = this.#time.now();
  }
}

describe("DeadlineQueue", () => {
  it("expires what was not removed, in order and on time, and nothing else", async () => {
    const step = fc.record({ delayMs: fc.integer({ min: 1, max: 500 }), removed: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), fc.nat(1_000_000), async (steps, salt) => {
        const time = new ManualTime();
        const queue = new DeadlineQueue(time, time);
        const entries = steps.map(({ delayMs, removed }) => ({ entry: new Entry(time, delayMs), removed }));
        for (const { entry } of entries) queue.add(entry);
        const shuffled = [...entries].sort((a, b) => ((a.entry.deadline * salt) % 97) - ((b.entry.deadline * salt) % 97));
        for (const { entry, removed } of shuffled) {
          if (!removed) continue;
          queue.remove(entry);
          queue.remove(entry);
        }
        expect(queue.size).toBe(entries.filter(({ removed }) => !removed).length);
        await time.advance(500);
        for (const { entry, removed } of entries) expect(entry.expiredAt).toBe(removed ? null : entry.deadline);
        expect(queue.size).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  it("sets one timer for many entries with one timeout", () => {
    const time = new ManualTime();
    const queue = new DeadlineQueue(time, time);
    for (let count = 0; count < 1_000; count++) {
      const entry = new Entry(time, 10_000);
      queue.add(entry);
      if (count % 2 === 0) queue.remove(entry);
    }
    expect(time.timersSet).toBe(1);
  });

  it("moves its timer forward for an earlier deadline", async () => {
    const time = new ManualTime();
    const queue = new DeadlineQueue(time, time);
    const late = new Entry(time, 1_000);
    const early = new Entry(time, 10);
    queue.add(late);
    queue.add(early);
    await time.advance(10);
    expect(early.expiredAt).toBe(early.deadline);
    expect(late.expiredAt).toBeNull();
    await time.advance(990);
    expect(late.expiredAt).toBe(late.deadline);
  });

  it("gives its timer up only when nothing waits", () => {
    const time = new ManualTime();
    const queue = new DeadlineQueue(time, time);
    const entry = new Entry(time, 1_000);
    queue.add(entry);
    queue.release();
    expect(time.liveTimers).toBe(1);
    queue.remove(entry);
    queue.release();
    expect(time.liveTimers).toBe(0);
  });
});
