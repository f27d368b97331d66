import { getUint64, setUint64 } from "./bytes.js";
import { MAX_CURSOR_NAME_BYTES, RECORD_HEADER_BYTES, RecordType, TOPIC_PAYLOAD_PREFIX_BYTES } from "./format.js";
import type { Hasher, HashStream } from "./hasher.js";

/*
 * A record: u32 payload length, u8 type, u24 topic id, u56 index, u8 encoding (0: plain), u64 checksum, payload. The checksum is taken while its own field holds
 * the record's offset in the file, and its seed comes from the log and the segment: bytes that end up elsewhere do not pass for valid.
 */

export const CHECKSUM_AT = 16;

/** Where a topic stands, as a topic record says. */
export interface TopicDeclaration {
  readonly id: number;
  readonly name: string;
  readonly first: number;
  readonly next: number;
}

/** Where a cursor stands, as its record says. */
export interface CursorRecord {
  readonly topic: number;
  readonly name: string;
  /** The index of the entry that it gives next. */
  readonly position: number;
}

/** Writes a record's header, without its checksum. */
export function writeRecordHeader(view: DataView, at: number, length: number, type: number, topic: number, index: number): void {
  view.setUint32(at, length, true);
  view.setUint32(at + 4, topic * 256 + type, true);
  setUint64(view, at + 8, index);
}

export function recordLength(view: DataView, at: number): number {
  return view.getUint32(at, true);
}

export function recordType(view: DataView, at: number): number {
  return view.getUint8(at + 4);
}

export function recordTopic(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) >>> 8;
}

export function recordIndex(view: DataView, at: number): number {
  return getUint64(view, at + 8);
}

/** How the payload is encoded: 0 as it is; other numbers are for compression and encryption, to come. */
export function recordEncoding(view: DataView, at: number): number {
  return view.getUint8(at + 15);
}

/**
 * The checksum of the record whose header is at `at` and whose payload, `outside`, does not follow it in `bytes`.
 * @param position - the record's offset in the file.
 */
export function checksumOutside(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  position: number,
  outside: Uint8Array,
  seed: bigint,
  hasher: Hasher,
): bigint {
  if (outside.length !== recordLength(view, at)) throw new TypeError("A payload was changed or transferred before it was written.");
  setUint64(view, at + CHECKSUM_AT, position);
  return hasher
    .start(seed)
    .update(bytes.subarray(at, at + RECORD_HEADER_BYTES))
    .update(outside)
    .digest();
}

/** The checksum that the record at `at` carries. */
export function storedChecksum(view: DataView, at: number): bigint {
  return view.getBigUint64(at + CHECKSUM_AT, true);
}

/** Whether the record at `at`, which is whole in `bytes`, has the checksum of its bytes at `position` in the file. Leaves `bytes` as they were. */
export function verifyRecord(bytes: Uint8Array, view: DataView, at: number, position: number, seed: bigint, hasher: Hasher): boolean {
  const stored = storedChecksum(view, at);
  setUint64(view, at + CHECKSUM_AT, position);
  const actual = hasher.hash(bytes.subarray(at, at + RECORD_HEADER_BYTES + recordLength(view, at)), seed);
  view.setBigUint64(at + CHECKSUM_AT, stored, true);
  return actual === stored;
}

/** Begins the checksum of a record that is too long to be held whole: the payload follows by `update`. Leaves `bytes` as they were. */
export function startVerifying(bytes: Uint8Array, view: DataView, at: number, position: number, seed: bigint, hasher: Hasher): HashStream {
  const stored = storedChecksum(view, at);
  setUint64(view, at + CHECKSUM_AT, position);
  const stream = hasher.start(seed).update(bytes.subarray(at, at + RECORD_HEADER_BYTES));
  view.setBigUint64(at + CHECKSUM_AT, stored, true);
  return stream;
}

const encoder = new TextEncoder();

/** The payload of a topic record. */
export function encodeTopicPayload(name: string, next: number): Uint8Array {
  const encoded = encoder.encode(name);
  const payload = new Uint8Array(TOPIC_PAYLOAD_PREFIX_BYTES + encoded.length);
  setUint64(new DataView(payload.buffer), 0, next);
  payload.set(encoded, TOPIC_PAYLOAD_PREFIX_BYTES);
  return payload;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** What the topic record at `at`, which is whole in `bytes`, declares; null if it makes no sense. */
export function decodeTopicRecord(bytes: Uint8Array, view: DataView, at: number): TopicDeclaration | null {
  const length = recordLength(view, at);
  if (recordType(view, at) !== RecordType.topic || length <= TOPIC_PAYLOAD_PREFIX_BYTES) return null;
  const payloadAt = at + RECORD_HEADER_BYTES;
  const first = recordIndex(view, at);
  const next = getUint64(view, payloadAt);
  if (!Number.isSafeInteger(first) || !Number.isSafeInteger(next) || first < 1 || next < first) return null;
  try {
    const name = decoder.decode(bytes.subarray(payloadAt + TOPIC_PAYLOAD_PREFIX_BYTES, payloadAt + length));
    return { id: recordTopic(view, at), name, first, next };
  } catch {
    return null;
  }
}

/** The payload of a cursor's records. */
export function encodeCursorName(name: string): Uint8Array {
  return encoder.encode(name);
}

/** What the cursor's record at `at`, which is whole in `bytes`, says; null if it makes no sense. */
export function decodeCursorRecord(bytes: Uint8Array, view: DataView, at: number): CursorRecord | null {
  const length = recordLength(view, at);
  const position = recordIndex(view, at);
  if (length === 0 || length > MAX_CURSOR_NAME_BYTES || !Number.isSafeInteger(position) || position < 1) return null;
  try {
    const name = decoder.decode(bytes.subarray(at + RECORD_HEADER_BYTES, at + RECORD_HEADER_BYTES + length));
    return { topic: recordTopic(view, at), name, position };
  } catch {
    return null;
  }
}
