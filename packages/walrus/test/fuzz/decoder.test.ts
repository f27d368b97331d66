import { beforeAll, expect, test } from "vitest";
import { viewOf } from "../../src/format/bytes.js";
import { decodeCleanMark, encodeCleanMark } from "../../src/format/clean-mark.js";
import { FrameKind, RecordType } from "../../src/format/format.js";
import { readFrameHeader, writeFrameHeader } from "../../src/format/frame-codec.js";
import { type Hasher, openHasher } from "../../src/format/hasher.js";
import {
  decodeCursorRecord,
  decodeTopicRecord,
  encodeCursorName,
  encodeTopicPayload,
  recordLength,
} from "../../src/format/record-codec.js";
import { decodeDirectory, decodePlaces, decodeTrailer, encodeDirectory, encodeTrailer } from "../../src/format/segment-footer.js";
import { decodeSegmentHeader, encodeSegmentHeader } from "../../src/format/segment-header.js";
import { isWalrusError } from "../../src/index.js";
import { FrameScanner } from "../../src/recovery/frame-scanner.js";
import { readOutline } from "../../src/recovery/outline.js";
import { ScanWindow } from "../../src/recovery/scan-window.js";
import { LogState } from "../../src/state/log-state.js";
import { FrameBuilder } from "../../src/write/frame-builder.js";
import { FrameRecords } from "../../src/write/frame-records.js";
import { seededRandom } from "../support/crash-disk.js";
import { memoryFile } from "../support/memory-file.js";

const factor = process.env.OCTOPII_TEST_LONG === "1" ? 10 : 1;
const SEED = 77n;
const WINDOW = 4096;

let hasher: Hasher;
beforeAll(async () => {
  hasher = await openHasher();
});

/** Bits flip, bytes vanish and appear, and lengths lie. Changes `bytes`, and gives as much of them as is left. */
function spoil(random: () => number, bytes: Uint8Array): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  let length = bytes.length;
  for (let again = 1 + below(3); again > 0; again--) {
    const at = below(length);
    const kind = below(5);
    if (kind === 0) bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    else if (kind === 1) bytes[at] = [0, 1, 0x7f, 0x80, 0xff][below(5)] ?? 0;
    else if (kind === 2) bytes.fill(below(2) * 0xff, at, at + 4 * (1 + below(2)));
    else if (kind === 3) length = Math.max(1, at);
    else bytes.copyWithin(at, below(length), Math.min(length, below(length) + 16));
  }
  return bytes.subarray(0, length);
}

/** Half of the time the checksum is made right again, so that what stands behind it is tried too. */
const sealed = { header: 56, mark: 56, frame: 40 } as const;

function examples(): Uint8Array[] {
  const builder = new FrameBuilder();
  builder.addTopic(1, "topic", 1, 1);
  builder.add(RecordType.append, 1, 1, new Uint8Array(20));
  builder.addCursor(1, "cursor", 1);
  const place = { seed: SEED, position: 0, previous: 5n, durable: 0 };
  const frame = Buffer.concat(builder.finish(FrameKind.commit, place, hasher).buffers);
  return [
    encodeSegmentHeader({ number: 3, logId: new Uint8Array(16), previous: 9n }, hasher).bytes,
    encodeCleanMark({ logId: new Uint8Array(16), segment: 4, end: 900, last: 8n }, hasher),
    encodeTrailer({ sealAt: 100, directoryAt: 200, seal: 7n }, SEED, hasher),
    encodeDirectory([{ topic: 1, first: 4, count: 10, bytes: 500, recordAt: 64 }]),
    encodeTopicPayload("a topic's name", 17),
    encodeCursorName("a cursor's name"),
    frame,
  ].map((bytes) => Uint8Array.from(bytes));
}

/** Every decoder in turn. They give null or throw a typed error; anything else is a bug. */
function decodeAll(bytes: Uint8Array, view: DataView): void {
  for (const decode of [
    () => decodeSegmentHeader("file", bytes, hasher),
    () => decodeCleanMark("file", bytes, hasher),
    () => decodeTrailer(bytes, SEED, hasher),
    () => decodeDirectory(bytes),
    () => decodePlaces(bytes),
  ]) {
    try {
      decode();
    } catch (error) {
      if (!isWalrusError(error)) throw error;
    }
  }
  if (bytes.length >= 48) readFrameHeader(bytes, view, 0, 0, SEED, hasher);
  if (bytes.length >= 24 && recordLength(view, 0) <= bytes.length - 24) {
    decodeTopicRecord(bytes, view, 0);
    decodeCursorRecord(bytes, view, 0);
  }
}

test(`no input makes a decoder throw, hang or allocate beyond its length: ${factor * 150_000} inputs, each to seven decoders`, {
  timeout: 600_000,
}, () => {
  const random = seededRandom(5);
  const good = examples();
  const scratch = new Uint8Array(512);
  for (let input = 0; input < factor * 150_000; input++) {
    const example = good[input % good.length] ?? scratch;
    const copy = scratch.subarray(0, example.length);
    copy.set(example);
    const bytes = spoil(random, copy);
    const view = viewOf(bytes);
    const at = input % 3 === 0 ? sealed.frame : sealed.header;
    if (input % 2 === 0 && bytes.length >= at + 8) view.setBigUint64(at, hasher.hash(bytes.subarray(0, at), 0n), true);
    decodeAll(bytes, view);
  }
});

/** A frame whose checksums are right, whatever it says. */
function forged(random: () => number): Uint8Array {
  const below = (limit: number): number => Math.floor(random() * limit);
  const builder = new FrameBuilder();
  const count = below(4);
  for (let at = 0; at < count; at++) {
    const type = [1, 2, 3, 4, 5, 6, 7, 8, 128, 129, 200][below(11)] ?? 1;
    const index = [0, 1, 2, below(100), Number.MAX_SAFE_INTEGER, 2 ** 53 * 3][below(6)] ?? 1;
    builder.add(type, below(4), index, new Uint8Array(below(30)).fill(below(256)));
  }
  const place = { seed: SEED, position: 0, previous: 5n, durable: below(100) };
  const bytes = Buffer.concat(builder.finish(1 + below(4), place, hasher).buffers);
  const copy = Uint8Array.from(bytes);
  if (below(3) === 0) {
    const header = readFrameHeader(copy, viewOf(copy), 0, 0, SEED, hasher);
    const lie = {
      ...header,
      kind: below(5),
      count: below(2) === 0 ? 2 ** 32 - 1 : below(9),
      bodyBytes: below(2) === 0 ? 2 ** 32 - 1 : below(200),
    };
    writeFrameHeader(copy, viewOf(copy), { previous: 5n, durable: 0, digest: 0n, ...lie }, 0, SEED, hasher);
  }
  return copy;
}

test(`the scanner and the state bear ${factor * 60_000} frames, spoilt ones and forged ones whose checksums are right`, {
  timeout: 600_000,
}, async () => {
  const random = seededRandom(6);
  const window = new Uint8Array(WINDOW);
  const records = new FrameRecords();
  const outcomes = { damaged: 0, misfits: 0, applied: 0 };
  const example = examples().at(-1) ?? window;
  for (let input = 0; input < factor * 60_000; input++) {
    const bytes = input % 2 === 0 ? forged(random) : spoil(random, example.slice());
    const scanner = new FrameScanner(new ScanWindow(memoryFile(bytes), bytes.length, window), SEED, hasher);
    const frame = await scanner.read(0, records);
    if (frame.damaged) {
      outcomes.damaged++;
      continue;
    }
    const state = new LogState();
    state.segments.add(1, bytes.length, 0);
    const misfit = frame.header.kind === FrameKind.checkpoint ? state.loadCheckpoint(records) : state.applyCommit(records, 1);
    if (misfit === null) outcomes.applied++;
    else outcomes.misfits++;
  }
  for (const count of Object.values(outcomes)) expect(count).toBeGreaterThan(100);
});

test(`the ends of ${factor * 30_000} sealed segments that are not any are refused with a sentence`, { timeout: 600_000 }, async () => {
  const random = seededRandom(7);
  const header = encodeSegmentHeader({ number: 1, logId: new Uint8Array(16), previous: 0n }, hasher).bytes;
  for (let input = 0; input < factor * 30_000; input++) {
    const noise = Uint8Array.from({ length: 1 + Math.floor(random() * 200) }, () => Math.floor(random() * 256));
    const bytes = Buffer.concat([header, noise]);
    const failure = await readOutline("file", memoryFile(bytes), bytes.length, 1, hasher).catch((error: unknown) => error);
    if (!isWalrusError(failure, "OCTOPII_WALRUS_CORRUPT")) expect.fail(`input ${input}: ${String(failure)}`);
  }
});
