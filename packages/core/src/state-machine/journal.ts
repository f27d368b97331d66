/**
 * Records of a {@link walBacked} state machine's own log: `version u8, kind u8`, then by kind: 0 a command: `index u64, command`. 1 a snapshot
 * begins, and replaces all before it once it has ended: `index u64`. 2 a chunk of it. 3 its end: `index u64`. Numbers are little-endian.
 */
export type JournalRecord =
  | { readonly kind: "command" | "begin" | "end"; readonly index: number; readonly bytes: Uint8Array }
  | { readonly kind: "chunk"; readonly index: 0; readonly bytes: Uint8Array };

const formatVersion = 1;
const kinds: readonly JournalRecord["kind"][] = ["command", "begin", "chunk", "end"];
const twoTo32 = 2 ** 32;
const nothing = new Uint8Array(0);

export function encodeRecord(kind: JournalRecord["kind"], index: number, bytes: Uint8Array = nothing): Uint8Array {
  const headBytes = kind === "chunk" ? 2 : 10;
  const record = new Uint8Array(headBytes + bytes.length);
  record[0] = formatVersion;
  record[1] = kinds.indexOf(kind);
  if (kind !== "chunk") {
    const view = new DataView(record.buffer);
    view.setUint32(2, index % twoTo32, true);
    view.setUint32(6, index / twoTo32, true);
  }
  record.set(bytes, headBytes);
  return record;
}

/** @throws Error for a record of another format, or of another program. */
export function decodeRecord(record: Uint8Array): JournalRecord {
  const kind = kinds[record[1] ?? 255];
  if (record[0] !== formatVersion || kind === undefined) {
    throw new Error("The state machine's log holds a record of another format; open it with the release that wrote it.");
  }
  if (kind === "chunk") return { kind, index: 0, bytes: record.subarray(2) };
  if (record.length < 10) throw new Error("The state machine's log holds a record that is too short; it is none of this program.");
  const view = new DataView(record.buffer, record.byteOffset, record.length);
  return { kind, index: view.getUint32(6, true) * twoTo32 + view.getUint32(2, true), bytes: record.subarray(10) };
}
