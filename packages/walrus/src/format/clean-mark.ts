import { corrupt, unsupported } from "../errors.js";
import { getUint64, setUint64, startsWith, viewOf } from "./bytes.js";
import { FORMAT_VERSION, LOG_ID_BYTES, MARK_BYTES, MARK_MAGIC } from "./format.js";
import type { Hasher } from "./hasher.js";

/*
 * The mark of a clean close: magic (8), u16 format version, 6 zero bytes, log id (16), u64 last segment, u64 its length, u64 checksum of
 * the last frame, u64 checksum of the 56 bytes before it with seed 0. While it is there, the log must end exactly as it says.
 */

const CHECKSUM_AT = 56;
const REMEDY = "Nothing was changed; restore the directory from a backup, or remove this file to have the log checked as after a crash.";

/** How a log ended when it was closed. */
export interface CleanMark {
  readonly logId: Uint8Array;
  readonly segment: number;
  /** The length of that segment. */
  readonly end: number;
  /** The checksum of its last frame. */
  readonly last: bigint;
}

export function encodeCleanMark(mark: CleanMark, hasher: Hasher): Uint8Array {
  const bytes = new Uint8Array(MARK_BYTES);
  const view = viewOf(bytes);
  bytes.set(MARK_MAGIC);
  view.setUint16(8, FORMAT_VERSION, true);
  bytes.set(mark.logId, 16);
  setUint64(view, 32, mark.segment);
  setUint64(view, 40, mark.end);
  view.setBigUint64(48, mark.last, true);
  view.setBigUint64(CHECKSUM_AT, hasher.hash(bytes.subarray(0, CHECKSUM_AT), 0n), true);
  return bytes;
}

/** @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT`, `OCTOPII_WALRUS_UNSUPPORTED_VERSION` */
export function decodeCleanMark(file: string, bytes: Uint8Array, hasher: Hasher): CleanMark {
  const view = viewOf(bytes);
  const whole = bytes.length === MARK_BYTES && startsWith(bytes, MARK_MAGIC);
  if (!whole || hasher.hash(bytes.subarray(0, CHECKSUM_AT), 0n) !== view.getBigUint64(CHECKSUM_AT, true)) {
    throw corrupt(file, 0, "the mark of a clean close is damaged", REMEDY);
  }
  const version = view.getUint16(8, true);
  if (version !== FORMAT_VERSION) throw unsupported(file, `format version ${version}`);
  return {
    logId: bytes.slice(16, 16 + LOG_ID_BYTES),
    segment: getUint64(view, 32),
    end: getUint64(view, 40),
    last: view.getBigUint64(48, true),
  };
}
