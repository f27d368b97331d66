import { corrupt, unsupported } from "../errors.js";
import { getUint64, setUint64, startsWith, viewOf } from "./bytes.js";
import { FORMAT_VERSION, LOG_ID_BYTES, SEGMENT_HEADER_BYTES, SEGMENT_MAGIC } from "./format.js";
import type { Hasher } from "./hasher.js";

/*
 * A segment's header: magic (8), u16 format version, u16 zero, u32 features, u64 segment number, log id (16), u64 checksum of the
 * previous segment's seal, u64 zero, u64 checksum of the 56 bytes before it with seed 0. Every later version keeps these 64 bytes' magic,
 * version, length and checksum, so that damage can always be told from a newer format.
 */

const CHECKSUM_AT = 56;
const LOG_ID_AT = 24;
const PREVIOUS_AT = 40;

/** What a segment's header says. */
export interface SegmentHeader {
  readonly number: number;
  /** Random, the same in all segments of a log. */
  readonly logId: Uint8Array;
  /** The checksum of the previous segment's seal; 0 in the first. */
  readonly previous: bigint;
}

/** The bytes of a header, and its checksum. */
export function encodeSegmentHeader(header: SegmentHeader, hasher: Hasher): { bytes: Uint8Array; checksum: bigint } {
  const bytes = new Uint8Array(SEGMENT_HEADER_BYTES);
  const view = viewOf(bytes);
  bytes.set(SEGMENT_MAGIC);
  view.setUint16(8, FORMAT_VERSION, true);
  setUint64(view, 16, header.number);
  bytes.set(header.logId, LOG_ID_AT);
  view.setBigUint64(PREVIOUS_AT, header.previous, true);
  const checksum = hasher.hash(bytes.subarray(0, CHECKSUM_AT), 0n);
  view.setBigUint64(CHECKSUM_AT, checksum, true);
  return { bytes, checksum };
}

/**
 * Checks and reads the first bytes of a segment file.
 * @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT`, `OCTOPII_WALRUS_UNSUPPORTED_VERSION`
 */
export function decodeSegmentHeader(file: string, bytes: Uint8Array, hasher: Hasher): SegmentHeader & { readonly checksum: bigint } {
  if (bytes.length < SEGMENT_HEADER_BYTES) {
    throw corrupt(file, 0, `its header is cut short: ${bytes.length} of ${SEGMENT_HEADER_BYTES} bytes are there`);
  }
  if (!startsWith(bytes, SEGMENT_MAGIC)) throw corrupt(file, 0, "it does not begin with the mark of a segment");
  const view = viewOf(bytes);
  const checksum = view.getBigUint64(CHECKSUM_AT, true);
  if (hasher.hash(bytes.subarray(0, CHECKSUM_AT), 0n) !== checksum) throw corrupt(file, 0, "the checksum of its header does not match");
  const version = view.getUint16(8, true);
  if (version !== FORMAT_VERSION) throw unsupported(file, `format version ${version}`);
  const features = view.getUint32(12, true);
  if (features !== 0) throw unsupported(file, `features 0x${features.toString(16)}`);
  return {
    number: getUint64(view, 16),
    logId: bytes.slice(LOG_ID_AT, LOG_ID_AT + LOG_ID_BYTES),
    previous: view.getBigUint64(PREVIOUS_AT, true),
    checksum,
  };
}

/** The seed of all checksums in a segment: the hash of the log's id and the segment's number. */
export function segmentSeed(logId: Uint8Array, number: number, hasher: Hasher): bigint {
  const bytes = new Uint8Array(LOG_ID_BYTES + 8);
  bytes.set(logId);
  setUint64(viewOf(bytes), LOG_ID_BYTES, number);
  return hasher.hash(bytes, 0n);
}
