import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { getUint64, setUint64, viewOf } from "../src/format/bytes.js";
import { FRAME_HEADER_BYTES, FrameKind, RecordType } from "../src/format/format.js";
import { type Hasher, openHasher } from "../src/format/hasher.js";
import { decodeSegmentHeader, encodeSegmentHeader } from "../src/format/segment-header.js";
import { FrameScanner } from "../src/recovery/frame-scanner.js";
import { ScanWindow, WINDOW_BYTES } from "../src/recovery/scan-window.js";
import { FrameBuilder, VECTORED_FROM_BYTES } from "../src/write/frame-builder.js";
import { FrameRecords } from "../src/write/frame-records.js";

let hasher: Hasher;
beforeAll(async () => {
  hasher = await openHasher();
});

/** A scanner over bytes in memory, and a count of the bytes that it allocated for a window: none beyond the one it is given. */
function scannerOver(bytes: Uint8Array, seed: bigint): FrameScanner {
  const file = {
    read: async (buffer: Uint8Array, position: number) => {
      const part = bytes.subarray(position, position + buffer.length);
      buffer.set(part);
      return part.length;
    },
    write: () => Promise.reject(new Error("read only")),
    sync: () => Promise.reject(new Error("read only")),
    truncate: () => Promise.reject(new Error("read only")),
    size: async () => bytes.length,
    close: async () => undefined,
  };
  return new FrameScanner(new ScanWindow(file, bytes.length, new Uint8Array(WINDOW_BYTES)), seed, hasher);
}

const safeIndex = fc.oneof(fc.integer({ min: 1, max: 1000 }), fc.maxSafeNat());
const lengths = fc.oneof(
  { weight: 20, arbitrary: fc.nat(300) },
  { weight: 1, arbitrary: fc.integer({ min: VECTORED_FROM_BYTES - 1, max: 300_000 }) },
);
const record = fc.record({
  type: fc.constantFrom(RecordType.append, RecordType.truncateBack, RecordType.truncateFront, 200),
  topic: fc.integer({ min: 1, max: 0xff_ffff }),
  index: safeIndex,
  length: lengths,
  fill: fc.nat(255),
});

function build(
  records: readonly { type: number; topic: number; index: number; length: number; fill: number }[],
  position: number,
  seed: bigint,
) {
  const builder = new FrameBuilder();
  for (const { type, topic, index, length, fill } of records) {
    // Only entries may be longer than a window; the others carry next to nothing.
    const kept = type === RecordType.append ? length : 0;
    builder.add(type, topic, index, kept === 0 ? null : new Uint8Array(kept).fill(fill));
  }
  const frame = builder.finish(FrameKind.commit, { seed, position, previous: 17n, durable: position }, hasher);
  return { bytes: Buffer.concat(frame.buffers), frame, columns: builder.records };
}

function rows(records: FrameRecords): number[][] {
  return Array.from({ length: records.count }, (_, at) =>
    [records.types[at], records.topics[at], records.indexes[at], records.offsets[at], records.lengths[at]].map((value) => value ?? -1),
  );
}

test("a frame that is written reads back, record for record, wherever it stands", async () => {
  const frames = fc.record({
    records: fc.array(record, { maxLength: 40 }),
    position: fc.nat(5000),
    seed: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
  await fc.assert(
    fc.asyncProperty(frames, async ({ records, position, seed }) => {
      const { bytes, frame, columns } = build(records, position, seed);
      expect(bytes.length).toBe(frame.byteLength);
      const read = new FrameRecords();
      const found = await scannerOver(Buffer.concat([new Uint8Array(position), bytes]), seed).read(position, read);
      expect(found).toMatchObject({ damaged: false, end: position + bytes.length });
      if (!found.damaged)
        expect(found.header).toMatchObject({ kind: FrameKind.commit, count: records.length, previous: 17n, checksum: frame.checksum });
      expect(rows(read)).toEqual(rows(columns));
      expect(rows(read).map(([type, topic, index]) => [type, topic, index])).toEqual(
        records.map(({ type, topic, index }) => [type, topic, index]),
      );
    }),
    { numRuns: 150 },
  );
});

test("a frame is not valid in another place, another segment, or with any bit changed", async () => {
  const cases = fc.record({
    records: fc.array(record, { maxLength: 5 }),
    shift: fc.integer({ min: 1, max: 50 }),
    spot: fc.nat(),
    bit: fc.nat(7),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ records, shift, spot, bit }) => {
      const { bytes } = build(records, 100, 5n);
      const at = (position: number, content: Uint8Array) => Buffer.concat([new Uint8Array(position), content]);
      const read = new FrameRecords();
      expect((await scannerOver(at(100, bytes), 5n).read(100, read)).damaged).toBe(false);
      expect((await scannerOver(at(100 + shift, bytes), 5n).read(100 + shift, read)).damaged).toBe(true);
      expect((await scannerOver(at(100, bytes), 6n).read(100, read)).damaged).toBe(true);
      const flipped = Uint8Array.from(bytes);
      flipped[spot % flipped.length] = (flipped[spot % flipped.length] ?? 0) ^ (1 << bit);
      expect((await scannerOver(at(100, flipped), 5n).read(100, read)).damaged).toBe(true);
    }),
    { numRuns: 150 },
  );
});

test("no bytes make the scanner throw, and it finds a frame wherever one is", async () => {
  const cases = fc.record({ before: fc.uint8Array({ maxLength: 500 }), after: fc.uint8Array({ maxLength: 500 }), magics: fc.nat(20) });
  await fc.assert(
    fc.asyncProperty(cases, async ({ before, after, magics }) => {
      const noise = Buffer.concat([before, ...Array.from({ length: magics }, () => Buffer.from("WLFR")), after]);
      const read = new FrameRecords();
      expect((await scannerOver(noise, 3n).read(0, read)).damaged).toBe(true);
      expect(await scannerOver(noise, 3n).find(0)).toBe(null);
      const { bytes } = build([{ type: 1, topic: 1, index: 1, length: 3, fill: 1 }], noise.length, 3n);
      expect(await scannerOver(Buffer.concat([noise, bytes, after]), 3n).find(0)).toBe(noise.length);
    }),
    { numRuns: 300 },
  );
});

test("a frame is found across the edges of the window", async () => {
  for (const position of [WINDOW_BYTES - FRAME_HEADER_BYTES, WINDOW_BYTES - 47, WINDOW_BYTES - 1, WINDOW_BYTES, 2 * WINDOW_BYTES - 60]) {
    const { bytes } = build([], position, 3n);
    const file = Buffer.concat([new Uint8Array(position).fill(0x57), bytes]);
    expect(await scannerOver(file, 3n).find(1)).toBe(position);
  }
});

test("unsigned 64-bit numbers keep every safe integer", () => {
  const view = new DataView(new ArrayBuffer(8));
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      setUint64(view, 0, value);
      expect(getUint64(view, 0)).toBe(value);
      expect(view.getBigUint64(0, true)).toBe(BigInt(value));
    }),
  );
});

test("a segment's header reads back; its layout is the documented one", () => {
  const headers = fc.record({
    number: safeIndex,
    logId: fc.uint8Array({ minLength: 16, maxLength: 16 }),
    previous: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  });
  fc.assert(
    fc.property(headers, (header) => {
      const { bytes, checksum } = encodeSegmentHeader(header, hasher);
      expect(bytes.length).toBe(64);
      expect(decodeSegmentHeader("file", bytes, hasher)).toEqual({ ...header, checksum });
      expect(Buffer.from(bytes.subarray(0, 8)).toString()).toBe("OCTOWAL1");
      expect(viewOf(bytes).getUint16(8, true)).toBe(2);
    }),
  );
});

test("the hash is xxHash64, in one piece and in several", () => {
  expect(hasher.hash(new Uint8Array(0), 0n)).toBe(0xef46db3751d8e999n);
  expect(hasher.hash(new TextEncoder().encode("abc"), 0n)).toBe(0x44bc2cf5ad770999n);
  const bytes = Uint8Array.from({ length: 700_000 }, (_, at) => (at * 31) % 256);
  const whole = hasher.hash(bytes, 9n);
  expect(hasher.start(9n).update(bytes.subarray(0, 1)).update(bytes.subarray(1, 400_000)).update(bytes.subarray(400_000)).digest()).toBe(
    whole,
  );
});
