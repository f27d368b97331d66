import { getUint64, setUint64, viewOf } from "./bytes.js";
import { FORMAT_VERSION, MAX_RUN_ENTRIES, TRAILER_BYTES, TRAILER_MAGIC } from "./format.js";
import type { Hasher } from "./hasher.js";

/*
 * The end of a sealed segment: a seal frame with one record for each run of entries that was live when the segment was sealed, then the
 * directory of those records, and after the frame a trailer that says where the directory is. So a reader of the last few kilobytes knows
 * what is in the segment, and reads the place of an entry when somebody asks for it.
 */

/** A run of entries of one topic in a sealed segment. */
export interface RunEntry {
  readonly topic: number;
  /** The index of its first entry; the others follow without a gap. */
  readonly first: number;
  readonly count: number;
  /** The bytes of its records. */
  readonly bytes: number;
  /** The offset of the record that says where each of its entries is. */
  readonly recordAt: number;
}

const RUN_BYTES = 32;

/** The payload of a directory: u32 topic id, u32 count, u64 first index, u64 bytes, u32 offset of the run's record, u32 zero; for each run. */
export function encodeDirectory(runs: readonly RunEntry[]): Uint8Array {
  const payload = new Uint8Array(runs.length * RUN_BYTES);
  const view = viewOf(payload);
  for (const [number, { topic, first, count, bytes, recordAt }] of runs.entries()) {
    const at = number * RUN_BYTES;
    view.setUint32(at, topic, true);
    view.setUint32(at + 4, count, true);
    setUint64(view, at + 8, first);
    setUint64(view, at + 16, bytes);
    view.setUint32(at + 24, recordAt, true);
  }
  return payload;
}

/** The runs in a directory's payload; null if they make no sense. */
export function decodeDirectory(payload: Uint8Array): RunEntry[] | null {
  if (payload.length % RUN_BYTES !== 0) return null;
  const view = viewOf(payload);
  const runs: RunEntry[] = [];
  for (let at = 0; at < payload.length; at += RUN_BYTES) {
    const first = getUint64(view, at + 8);
    const count = view.getUint32(at + 4, true);
    const bytes = getUint64(view, at + 16);
    if (first < 1 || count < 1 || count > MAX_RUN_ENTRIES) return null;
    if (!Number.isSafeInteger(first + count) || !Number.isSafeInteger(bytes)) return null;
    runs.push({ topic: view.getUint32(at, true), first, count, bytes, recordAt: view.getUint32(at + 24, true) });
  }
  return runs;
}

const IS_LITTLE_ENDIAN = new Uint8Array(Uint16Array.of(1).buffer)[0] === 1;

/** The payload of a run's record: for each entry u32 offset of its record, u32 length of its payload. May be the bytes of `places` themselves. */
export function encodePlaces(places: Uint32Array): Uint8Array {
  if (IS_LITTLE_ENDIAN) return new Uint8Array(places.buffer, places.byteOffset, places.byteLength);
  const payload = new Uint8Array(places.length * 4);
  const view = viewOf(payload);
  for (let at = 0; at < places.length; at++) view.setUint32(at * 4, places[at] ?? 0, true);
  return payload;
}

/** The places in a run's record. */
export function decodePlaces(payload: Uint8Array): Uint32Array {
  const places = new Uint32Array(payload.length >>> 2);
  if (IS_LITTLE_ENDIAN) new Uint8Array(places.buffer).set(payload.subarray(0, places.byteLength));
  else {
    const view = viewOf(payload);
    for (let at = 0; at < places.length; at++) places[at] = view.getUint32(at * 4, true);
  }
  return places;
}

/** What the last bytes of a sealed segment say. */
export interface Trailer {
  /** The offset of the seal frame. */
  readonly sealAt: number;
  /** The offset of the directory's record in it. */
  readonly directoryAt: number;
  /** The seal frame's checksum, which the next segment's header repeats. */
  readonly seal: bigint;
}

/** Trailer: u32 magic, u16 format version, u16 zero, u32 offset of the seal, u32 offset of the directory, u64 seal's checksum, u64 zero, u64 checksum. */
export function encodeTrailer({ sealAt, directoryAt, seal }: Trailer, seed: bigint, hasher: Hasher): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = viewOf(bytes);
  view.setUint32(0, TRAILER_MAGIC, true);
  view.setUint16(4, FORMAT_VERSION, true);
  view.setUint32(8, sealAt, true);
  view.setUint32(12, directoryAt, true);
  view.setBigUint64(16, seal, true);
  view.setBigUint64(TRAILER_BYTES - 8, hasher.hash(bytes.subarray(0, TRAILER_BYTES - 8), seed), true);
  return bytes;
}

/** The trailer in the last bytes of a file; null if there is none that is valid in this segment. */
export function decodeTrailer(bytes: Uint8Array, seed: bigint, hasher: Hasher): Trailer | null {
  if (bytes.length !== TRAILER_BYTES) return null;
  const view = viewOf(bytes);
  if (view.getUint32(0, true) !== TRAILER_MAGIC) return null;
  if (hasher.hash(bytes.subarray(0, TRAILER_BYTES - 8), seed) !== view.getBigUint64(TRAILER_BYTES - 8, true)) return null;
  return { sealAt: view.getUint32(8, true), directoryAt: view.getUint32(12, true), seal: view.getBigUint64(16, true) };
}
