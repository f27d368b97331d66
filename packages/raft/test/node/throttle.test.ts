import { createManualTime } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { Throttle } from "../../src/node/throttle.js";

async function* once(chunk: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  yield chunk;
}

/** When each piece of one chunk passed, and how long it was. */
async function passages(bytesPerSecond: number, chunkBytes: number, ms: number): Promise<{ at: number; bytes: number }[]> {
  const time = createManualTime();
  const throttle = new Throttle(time.clock, time.scheduler, bytesPerSecond);
  const seen: { at: number; bytes: number }[] = [];
  const source = once(Uint8Array.from({ length: chunkBytes }, (_, i) => i));
  const reading = (async () => {
    let expected = 0;
    for await (const piece of throttle.limit(source, new AbortController().signal)) {
      for (const byte of piece) expect(byte).toBe(expected++ % 256);
      seen.push({ at: time.clock.now(), bytes: piece.length });
    }
  })();
  for (let passed = 0; passed < ms; passed++) {
    for (let i = 0; i < 10; i++) await Promise.resolve();
    time.advance(1);
  }
  await reading;
  return seen;
}

describe("the throttle", () => {
  // A chunk that took longer than a stall may take would be given up, and sent again, for ever.
  it("lets something pass all the while, however long the chunk and slow the rate", async () => {
    const seen = await passages(1_000, 5_000, 5_100);
    expect(seen.reduce((sum, { bytes }) => sum + bytes, 0)).toBe(5_000);
    let before = 0;
    for (const { at } of seen) {
      expect(at - before).toBeLessThanOrEqual(101);
      before = at;
    }
    expect(before).toBeGreaterThan(4_800);
  });

  it("cuts nothing up that passes at once", async () => {
    expect(await passages(0, 5_000, 1)).toEqual([{ at: 0, bytes: 5_000 }]);
    expect(await passages(1_000_000, 5_000, 10)).toMatchObject([{ bytes: 5_000 }]);
  });
});
