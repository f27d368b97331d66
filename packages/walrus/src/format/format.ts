/** The numbers of the file format; `docs/WALRUS-FORMAT.md` in the repository explains them to the byte. All integers are little-endian. */

/** The version that this code writes, and the only one that it reads. */
export const FORMAT_VERSION = 2;

/** The first eight bytes of a segment: `OCTOWAL1`. */
export const SEGMENT_MAGIC: Uint8Array = new Uint8Array([0x4f, 0x43, 0x54, 0x4f, 0x57, 0x41, 0x4c, 0x31]);

/** The first eight bytes of the mark of a clean close: `OCTOCLSD`. */
export const MARK_MAGIC: Uint8Array = new Uint8Array([0x4f, 0x43, 0x54, 0x4f, 0x43, 0x4c, 0x53, 0x44]);

/** The first four bytes of a frame: `WLFR`. */
export const FRAME_MAGIC = 0x52464c57;
export const FRAME_MAGIC_FIRST_BYTE = 0x57;

export const SEGMENT_HEADER_BYTES = 64;
export const MARK_BYTES = 64;
export const FRAME_HEADER_BYTES = 48;
export const RECORD_HEADER_BYTES = 24;
export const LOG_ID_BYTES = 16;

/** What a frame is. */
export const FrameKind = {
  /** One flush: everything that was appended since the flush before. */
  commit: 1,
  /** The end of a segment that is followed by another: where its live entries are. */
  seal: 2,
  /** The head of a segment: all topics with their bounds, and all cursors. */
  checkpoint: 3,
} as const;

/** What a record is. Types from `FIRST_FOOTER_TYPE` stand in a seal only, and a reader that does not know them passes over them. */
export const RecordType = {
  /** One entry of a topic; `index` is its index. */
  append: 1,
  /** Entries at `index` and above are gone. */
  truncateBack: 2,
  /** Entries below `index` are gone. */
  truncateFront: 3,
  /** Declares a topic: `index` is its first index, the payload its next index and its name. */
  topic: 4,
  /** As an append of an entry that the topic has already: from here on it is in this place. */
  move: 5,
  /** A cursor stands before `index`; the payload is its name. */
  cursor: 6,
  /** A cursor is gone; the payload is its name. */
  dropCursor: 7,
  /** In a seal: where a run of entries that begins with `index` stands in the segment. */
  run: 128,
  /** In a seal, last: all runs of the segment, and where their records are. */
  directory: 129,
} as const;
export const FIRST_FOOTER_TYPE = 128;

/** The first four bytes of a trailer: `WLTR`. */
export const TRAILER_MAGIC = 0x52544c57;
/** The last bytes of a sealed segment. */
export const TRAILER_BYTES = 40;
/** Entries that one run may have, so that a run's part of the index is half a megabyte at most. */
export const MAX_RUN_ENTRIES = 65_536;

/** The bytes before the name in a topic record's payload. */
export const TOPIC_PAYLOAD_PREFIX_BYTES = 8;

export const MAX_TOPIC_NAME_BYTES = 255;
export const MAX_CURSOR_NAME_BYTES = 255;
/** The longest record that declares a topic. */
export const MAX_TOPIC_RECORD_BYTES: number = RECORD_HEADER_BYTES + TOPIC_PAYLOAD_PREFIX_BYTES + MAX_TOPIC_NAME_BYTES;

/** No segment is longer, so offsets fit in 32 bits. */
export const MAX_SEGMENT_BYTES = 0xffff_ffff;

/** Segment files are named by number, in as many digits as a safe integer needs, so that names sort as numbers do. */
const NUMBER_DIGITS = 16;
const SEGMENT_NAME = /^(\d{16})\.wal$/;

/** The name of segment `number`. */
export function segmentName(number: number): string {
  return `${String(number).padStart(NUMBER_DIGITS, "0")}.wal`;
}

/** The number in a segment's name; null if `name` is not one. */
export function segmentNumber(name: string): number | null {
  const digits = SEGMENT_NAME.exec(name)?.[1];
  const number = digits === undefined ? 0 : Number(digits);
  return number > 0 && Number.isSafeInteger(number) ? number : null;
}

/** The mark of a clean close. */
export const MARK_NAME = "closed.mark";

/** What a file is called until it is whole and durable. */
export const TEMPORARY_SUFFIX = ".tmp";

/** Whether `name` is a file of ours that a crash may leave half made. */
export function isTemporaryName(name: string): boolean {
  if (!name.endsWith(TEMPORARY_SUFFIX)) return false;
  const final = name.slice(0, -TEMPORARY_SUFFIX.length);
  return final === MARK_NAME || segmentNumber(final) !== null;
}
