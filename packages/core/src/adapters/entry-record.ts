import type { Entry, EntryKind, HardState } from "@octopii/raft";

/**
 * Raft's records in the log, numbers little-endian.
 * An entry: `version u8, kind u8, term u64, data`. Its index is the record's own in its topic.
 * A hard state: `version u8, currentTerm u64, votedFor u64, commitIndex u64`.
 * A base, the entry after which the log begins: `version u8, index u64, term u64`.
 */
const formatVersion = 1;
const entryHeaderBytes = 10;
const hardStateBytes = 25;
const baseBytes = 17;
/** Position in the list is the number on disk: append only. */
const kinds: readonly EntryKind[] = ["command", "noop", "configuration", "founding"];
const twoTo32 = 2 ** 32;

/** A stored record that this release cannot make sense of: written by a newer one, or not by Raft at all. */
export class UnreadableRecordError extends Error {
  readonly code = "OCTOPII_CORE_UNREADABLE_RECORD" as const;

  constructor(what: string) {
    super(`${what} Run the release that wrote this data directory, or a newer one.`);
    this.name = "UnreadableRecordError";
  }
}

export function encodeEntry(entry: Entry): Uint8Array {
  const bytes = new Uint8Array(entryHeaderBytes + entry.data.length);
  bytes[0] = formatVersion;
  bytes[1] = kinds.indexOf(entry.kind);
  writeU64(bytes, 2, entry.term);
  bytes.set(entry.data, entryHeaderBytes);
  return bytes;
}

/** The entry's data are a view of `bytes`. */
export function decodeEntry(index: number, bytes: Uint8Array): Entry {
  checkVersion(bytes, entryHeaderBytes, `Entry ${index}`);
  const kind = kinds[bytes[1] as number];
  if (kind === undefined) throw new UnreadableRecordError(`Entry ${index} of the log is of kind ${String(bytes[1])}, which is unknown.`);
  return { index, term: readU64(bytes, 2), kind, data: bytes.subarray(entryHeaderBytes) };
}

export function encodeHardState(state: HardState): Uint8Array {
  const bytes = new Uint8Array(hardStateBytes);
  bytes[0] = formatVersion;
  writeU64(bytes, 1, state.currentTerm);
  writeU64(bytes, 9, state.votedFor);
  writeU64(bytes, 17, state.commitIndex);
  return bytes;
}

export function decodeHardState(bytes: Uint8Array): HardState {
  checkVersion(bytes, hardStateBytes, "The hard state");
  return { currentTerm: readU64(bytes, 1), votedFor: readU64(bytes, 9), commitIndex: readU64(bytes, 17) };
}

/** The entry after which a log begins, once entries before it were compacted away. */
export interface LogBase {
  readonly index: number;
  readonly term: number;
}

export function encodeBase({ index, term }: LogBase): Uint8Array {
  const bytes = new Uint8Array(baseBytes);
  bytes[0] = formatVersion;
  writeU64(bytes, 1, index);
  writeU64(bytes, 9, term);
  return bytes;
}

export function decodeBase(bytes: Uint8Array): LogBase {
  checkVersion(bytes, baseBytes, "The base");
  return { index: readU64(bytes, 1), term: readU64(bytes, 9) };
}

function checkVersion(bytes: Uint8Array, length: number, what: string): void {
  const version = bytes[0];
  if (version !== formatVersion)
    throw new UnreadableRecordError(`${what} in the log has format ${String(version)}; this release reads format ${formatVersion}.`);
  if (bytes.length < length)
    throw new UnreadableRecordError(`${what} in the log has ${bytes.length} bytes, at least ${length} were expected.`);
}

function writeU64(bytes: Uint8Array, at: number, value: number): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  view.setUint32(at, value % twoTo32, true);
  view.setUint32(at + 4, value / twoTo32, true);
}

function readU64(bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  return view.getUint32(at + 4, true) * twoTo32 + view.getUint32(at, true);
}
