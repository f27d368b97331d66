import { beforeAll, expect, test } from "vitest";
import { FRAME_HEADER_BYTES, FrameKind, RecordType, SEGMENT_HEADER_BYTES } from "../src/format/format.js";
import { type Hasher, openHasher } from "../src/format/hasher.js";
import { decodeSegmentHeader, segmentSeed } from "../src/format/segment-header.js";
import { openWalrus } from "../src/index.js";
import { FrameBuilder } from "../src/write/frame-builder.js";
import { CrashDisk } from "./support/crash-disk.js";
import { payload } from "./support/model.js";

const options = { directory: "/log", fillAheadBytes: 0 };
const path = "/log/0000000000000001.wal";
/** The head of a log without topics: its header and an empty checkpoint. */
const head = SEGMENT_HEADER_BYTES + FRAME_HEADER_BYTES;

let hasher: Hasher;
beforeAll(async () => {
  hasher = await openHasher();
});

/** A log with one entry, in topic 1, that was not closed. */
async function smallLog(): Promise<Uint8Array> {
  const disk = new CrashDisk();
  const log = await openWalrus(options, { fileSystem: disk });
  await log.append("a", payload("a1"));
  return disk.files().get(path) ?? new Uint8Array(0);
}

/** A frame that this very log could have written at `position` after the frame with checksum `previous`. */
function frameAt(
  log: Uint8Array,
  position: number,
  previous: bigint,
  index: number,
  text: string,
  kind: number = FrameKind.commit,
): Uint8Array {
  const seed = segmentSeed(decodeSegmentHeader(path, log.subarray(0, 64), hasher).logId, 1, hasher);
  const builder = new FrameBuilder();
  builder.add(RecordType.append, 1, index, payload(text));
  return Buffer.concat(builder.finish(kind, { seed, position, previous, durable: position }, hasher).buffers);
}

/** The checksum of the log's last frame: the one after the head. */
function lastChecksum(log: Uint8Array): bigint {
  return Buffer.from(log).readBigUInt64LE(head + 40);
}

async function open(...parts: Uint8Array[]): Promise<{ next: number; tornBytes: number }> {
  const log = await openWalrus(options, { fileSystem: new CrashDisk(new Map([[path, Buffer.concat(parts)]])) });
  return { next: log.bounds("a").next, tornBytes: log.status().recovery.tornBytes };
}

test("a frame made by hand as the log makes them is taken, so the tests below fail for no other reason", async () => {
  const log = await smallLog();
  expect(await open(log, frameAt(log, log.length, lastChecksum(log), 2, "a2"))).toEqual({ next: 3, tornBytes: 0 });
});

test("a frame that is valid in itself but follows another one than stands before it is corruption", async () => {
  const log = await smallLog();
  await expect(open(log, frameAt(log, log.length, lastChecksum(log) + 1n, 2, "a2"))).rejects.toMatchObject({
    code: "OCTOPII_WALRUS_CORRUPT",
    details: { file: path, offset: log.length, problem: "a frame that does not follow the one before it" },
  });
});

test("a torn frame whose missing records are filled by those of an older write at the same place is cut", async () => {
  const log = await smallLog();
  const written = frameAt(log, log.length, lastChecksum(log), 2, "new");
  const older = frameAt(log, log.length, lastChecksum(log), 2, "old");
  const mixed = Buffer.concat([written.subarray(0, FRAME_HEADER_BYTES), older.subarray(FRAME_HEADER_BYTES)]);
  expect(await open(log, mixed)).toEqual({ next: 2, tornBytes: mixed.length });
});

test.each([
  ["an index that is not due", 5, FrameKind.commit, /entry 5 of topic "a" where 2 is due/],
  ["an unknown kind", 2, 9, /a frame of unknown kind 9/],
  ["a checkpoint where none may be", 2, FrameKind.checkpoint, /a record of type 1 in a checkpoint/],
  ["an entry in a seal", 2, FrameKind.seal, /a record of type 1 in a seal/],
])("a whole frame with %s is no torn write", async (_, index, kind, problem) => {
  const log = await smallLog();
  const frame = frameAt(log, log.length, lastChecksum(log), index, "a2", kind);
  await expect(open(log, frame)).rejects.toMatchObject({ code: "OCTOPII_WALRUS_CORRUPT", message: expect.stringMatching(problem) });
});

test("what was cut does not come back behind what is written in its place", async () => {
  const log = await smallLog();
  const first = frameAt(log, log.length, lastChecksum(log), 2, "torn one".padEnd(100, "."));
  const disk = new CrashDisk(new Map([[path, Buffer.concat([log, first.subarray(0, -1)])]]));
  const opened = await openWalrus(options, { fileSystem: disk });
  expect(opened.status().recovery.tornBytes).toBe(first.length - 1);
  await opened.append("a", payload("2"));
  const bytes = disk.files().get(path) ?? new Uint8Array(0);
  expect(Buffer.from(bytes).includes("torn one")).toBe(false);
  expect(bytes.length).toBe(log.length + FRAME_HEADER_BYTES + 24 + 3);
});
