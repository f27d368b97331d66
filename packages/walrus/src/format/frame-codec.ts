import { setUint64 } from "./bytes.js";
import { FRAME_HEADER_BYTES, FRAME_MAGIC, FrameKind } from "./format.js";
import type { Hasher } from "./hasher.js";

/*
 * A frame header: u32 magic, u8 kind, u24 zero, u32 record count, u32 body length, u32 durable, u32 zero, u64 checksum of the frame before
 * (or of the segment's header), u64 hash of the records' checksums, u64 checksum. The last is taken while its field holds the frame's
 * offset in the file.
 */

const CHECKSUM_AT = 40;

/** What a frame's header says. */
export interface FrameHeader {
  readonly kind: number;
  readonly count: number;
  /** The bytes of all records, headers included. */
  readonly bodyBytes: number;
  /** Up to which offset of this segment everything was on stable storage when the frame was written: the proof that damage there is damage. */
  readonly durable: number;
  /** Links frames into a chain, so that none can be missing or stem from another time. */
  readonly previous: bigint;
  /** Ties the header to these very records. */
  readonly digest: bigint;
  readonly checksum: bigint;
}

/** Writes a header into the first bytes of `bytes`; gives its checksum. */
export function writeFrameHeader(
  bytes: Uint8Array,
  view: DataView,
  header: Omit<FrameHeader, "checksum">,
  position: number,
  seed: bigint,
  hasher: Hasher,
): bigint {
  view.setUint32(0, FRAME_MAGIC, true);
  view.setUint32(4, header.kind, true);
  view.setUint32(8, header.count, true);
  view.setUint32(12, header.bodyBytes, true);
  view.setUint32(16, header.durable, true);
  view.setUint32(20, 0, true);
  view.setBigUint64(24, header.previous, true);
  view.setBigUint64(32, header.digest, true);
  setUint64(view, CHECKSUM_AT, position);
  const checksum = hasher.hash(bytes.subarray(0, FRAME_HEADER_BYTES), seed);
  view.setBigUint64(CHECKSUM_AT, checksum, true);
  return checksum;
}

/** The header at `at`; null if there is none that is valid at `position` in its file. Leaves `bytes` as they were. */
export function readFrameHeader(
  bytes: Uint8Array,
  view: DataView,
  at: number,
  position: number,
  seed: bigint,
  hasher: Hasher,
): FrameHeader | null {
  if (view.getUint32(at, true) !== FRAME_MAGIC) return null;
  const checksum = view.getBigUint64(at + CHECKSUM_AT, true);
  setUint64(view, at + CHECKSUM_AT, position);
  const actual = hasher.hash(bytes.subarray(at, at + FRAME_HEADER_BYTES), seed);
  view.setBigUint64(at + CHECKSUM_AT, checksum, true);
  if (actual !== checksum) return null;
  return {
    kind: view.getUint32(at + 4, true),
    count: view.getUint32(at + 8, true),
    bodyBytes: view.getUint32(at + 12, true),
    durable: view.getUint32(at + 16, true),
    previous: view.getBigUint64(at + 24, true),
    digest: view.getBigUint64(at + 32, true),
    checksum,
  };
}

/** Whether `kind` is one that this format has. */
export function isFrameKind(kind: number): boolean {
  return kind === FrameKind.commit || kind === FrameKind.seal || kind === FrameKind.checkpoint;
}
