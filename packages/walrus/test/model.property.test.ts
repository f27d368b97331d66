import fc from "fast-check";
import { expect, test } from "vitest";
import { RecordType } from "../src/format/format.js";
import { openWalrus, type Walrus } from "../src/index.js";
import { SegmentTable } from "../src/state/segment-table.js";
import { TopicIndex } from "../src/state/topic-index.js";
import { FrameRecords } from "../src/write/frame-records.js";
import { CrashDisk } from "./support/crash-disk.js";
import { describeLog, Model, payload } from "./support/model.js";

type Step =
  | { readonly kind: "append"; readonly topic: string; readonly lengths: readonly number[] }
  | { readonly kind: "back" | "front"; readonly topic: string; readonly share: number }
  | { readonly kind: "reopen" | "crash" };

const topic = fc.constantFrom("a", "b", "c");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("append" as const), topic, lengths: fc.array(fc.nat(1500), { maxLength: 6 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom("back" as const, "front" as const),
      topic,
      share: fc.double({ min: 0, max: 1.3, noNaN: true }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom("reopen" as const, "crash" as const) }) },
);

test("a log holds what the contract says, through truncation, rolling, reclaim, restarts and crashes", async () => {
  const options = { directory: "/log", segmentBytes: 4096 };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      let disk = new CrashDisk();
      let log: Walrus = await openWalrus(options, { fileSystem: disk });
      const model = new Model();
      for (const [number, next] of steps.entries()) {
        if (!("topic" in next)) {
          if (next.kind === "reopen") await log.close();
          else disk = new CrashDisk(disk.files());
          log = await openWalrus(options, { fileSystem: disk });
        } else if ("lengths" in next) {
          const append = next.lengths.map((length, at) => payload(`${next.topic} ${number}.${at}`, length));
          model.apply([{ topic: next.topic, append }]);
          await log.appendBatch([{ topic: next.topic, append }]);
        } else {
          const { first, next: end } = log.bounds(next.topic);
          const index = first + Math.floor((end - first) * next.share);
          const operation = next.kind === "back" ? { topic: next.topic, truncateBack: index } : { topic: next.topic, truncateFront: index };
          model.apply([operation]);
          await log.appendBatch([operation]);
        }
      }
      expect(await describeLog(log)).toBe(model.describe());
      await log.close();
      expect(await describeLog(await openWalrus(options, { fileSystem: disk }))).toBe(model.describe());
    }),
    { numRuns: 150 },
  );
});

interface Place {
  readonly segment: number;
  readonly offset: number;
  readonly length: number;
}

/** One topic's index beside a plain map, and the segments' counts of live runs beside a plain count. */
function exercise(moves: readonly { readonly kind: "append" | "back" | "front" | "move"; readonly amount: number }[]): void {
  const segments = new SegmentTable();
  segments.add(1, 100, 0);
  const index = new TopicIndex(1, "a", 1, 1, segments);
  const places = new Map<number, Place>();
  let first = 1;
  let next = 1;
  for (const { kind, amount } of moves) {
    if (kind === "append") {
      if (amount % 3 === 0) segments.add(segments.last + 1, 100, 0);
      const records = new FrameRecords();
      for (let at = 0; at < amount; at++) {
        const place = { segment: segments.last, offset: (next * 7) % 4_000_000_000, length: at };
        records.add(RecordType.append, index.id, next, place.offset, place.length);
        places.set(next++, place);
      }
      // What follows is another topic's, another kind of record, or not what is due: none of it is taken.
      records.add(amount % 2 === 0 ? RecordType.append : RecordType.move, index.id + (amount % 2), next + (amount % 2 === 0 ? 1 : 0), 9, 9);
      expect(index.appendAll(records, 0, segments.last)).toBe(amount);
    } else if (kind === "move") {
      // As the rewriter does: what lies in the oldest segment goes to the newest.
      segments.add(segments.last + 1, 100, 0);
      const oldest = Math.min(...[...places.values()].map((place) => place.segment));
      for (const [at, { segment, length }] of [...places].sort(([a], [b]) => a - b)) {
        if (segment !== oldest || at % 5 === amount % 5) continue;
        const place = { segment: segments.last, offset: at * 3, length };
        index.move(at, place.segment, place.offset, place.length);
        places.set(at, place);
      }
    } else if (kind === "back") {
      const keep = first + Math.floor(((next - first) * (amount % 100)) / 100);
      index.truncateBack(keep);
      for (let at = keep; at < next; at++) places.delete(at);
      next = keep;
    } else {
      const keep = first + Math.floor(((next - first) * (amount % 120)) / 100);
      index.truncateFront(keep);
      for (let at = first; at < keep; at++) places.delete(at);
      first = keep;
      next = Math.max(next, keep);
    }
    expect([index.first, index.next, index.missing]).toEqual([first, next, null]);
  }
  for (const [at, place] of places) {
    const [run] = index.runsFrom(at);
    const slot = (at - (run?.table.first ?? 0)) * 2;
    const found = { segment: run?.table.segment, offset: run?.table.places?.[slot], length: run?.table.places?.[slot + 1] };
    const isThere = run !== undefined && run.first <= at && at < run.next;
    if (!isThere || found.segment !== place.segment || found.offset !== place.offset || found.length !== place.length) {
      expect.fail(`entry ${at}: ${JSON.stringify(found)} instead of ${JSON.stringify(place)}`);
    }
  }
  const live = new Set([...places.values()].map((place) => place.segment));
  const removable: number[] = [];
  for (let number = segments.removable(); number !== null; number = segments.removable()) {
    removable.push(number);
    segments.removeFirst();
  }
  const oldestLive = Math.min(segments.last, ...live);
  expect(removable).toEqual(Array.from({ length: removable.length }, (_, at) => at + 1));
  expect(segments.first).toBe(oldestLive);
}

test("a topic's index finds every entry, and knows which segments are live, through any truncation", () => {
  const moves = fc.array(
    fc.record({
      kind: fc.constantFrom("append" as const, "append" as const, "back" as const, "front" as const, "move" as const),
      amount: fc.nat(3000),
    }),
    {
      maxLength: 25,
    },
  );
  fc.assert(fc.property(moves, exercise), { numRuns: 150 });
});
