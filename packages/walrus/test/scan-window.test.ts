import fc from "fast-check";
import { expect, test } from "vitest";
import { ScanWindow, WINDOW_BYTES } from "../src/recovery/scan-window.js";
import { memoryFile } from "./support/memory-file.js";

/** Each four bytes say where they are. */
const BYTES = new Uint8Array(Uint32Array.from({ length: (3.5 * WINDOW_BYTES) / 4 }, (_, at) => at).buffer);

test("a window that reads ahead shows the same bytes as one that does not, wherever it is sent", async () => {
  const step = fc.oneof(
    { weight: 8, arbitrary: fc.record({ back: fc.constantFrom(0, 1, 24, 47, 65_560, 200_000, WINDOW_BYTES) }) },
    { weight: 1, arbitrary: fc.record({ to: fc.nat(BYTES.length) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), fc.constantFrom(0, 1, 5, WINDOW_BYTES), async (steps, cut) => {
      const size = BYTES.length - cut;
      const file = memoryFile(BYTES.subarray(0, size));
      const window = new ScanWindow(file, size, new Uint8Array(WINDOW_BYTES), null, new Uint8Array(WINDOW_BYTES));
      let end = 0;
      for (const move of steps) {
        const offset = Math.min(size, "to" in move ? move.to : Math.max(0, end - move.back));
        const got = await window.load(offset);
        expect(got).toBe(window.bytes.length);
        expect(got).toBeGreaterThan(offset < size ? 0 : -1);
        expect(Buffer.compare(window.bytes, BYTES.subarray(offset, offset + got))).toBe(0);
        expect(window.has(offset, got)).toBe(true);
        expect(window.has(offset, got + 1)).toBe(false);
        expect(window.at(offset)).toBe(0);
        end = offset + got;
      }
      await window.settled();
    }),
    { numRuns: 60 },
  );
});

test("what is read ahead fails when it is asked for, and not before", async () => {
  const file = memoryFile(BYTES);
  let reads = 0;
  const failing = {
    ...file,
    read: (buffer: Uint8Array, position: number) => (++reads === 2 ? Promise.reject(new Error("EIO")) : file.read(buffer, position)),
  };
  const window = new ScanWindow(failing, BYTES.length, new Uint8Array(WINDOW_BYTES), null, new Uint8Array(WINDOW_BYTES));
  expect(await window.load(0)).toBe(WINDOW_BYTES);
  await window.settled();
  await expect(window.load(WINDOW_BYTES)).rejects.toThrow("EIO");
  const unasked = new ScanWindow(failing, BYTES.length, new Uint8Array(WINDOW_BYTES), null, new Uint8Array(WINDOW_BYTES));
  reads = 0;
  await unasked.load(0);
  expect(await unasked.load(8)).toBeGreaterThan(0);
  expect(unasked.bytes[0]).toBe(BYTES[8]);
});
