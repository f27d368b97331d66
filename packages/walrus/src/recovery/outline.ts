import type { File } from "@octopii/interfaces";
import { corrupt } from "../errors.js";
import { viewOf } from "../format/bytes.js";
import { MAX_SEGMENT_BYTES, RECORD_HEADER_BYTES, RecordType, SEGMENT_HEADER_BYTES, TRAILER_BYTES } from "../format/format.js";
import type { Hasher } from "../format/hasher.js";
import { recordLength, recordType, verifyRecord } from "../format/record-codec.js";
import { decodeDirectory, decodeTrailer, type RunEntry, type Trailer } from "../format/segment-footer.js";
import { decodeSegmentHeader, type SegmentHeader, segmentSeed } from "../format/segment-header.js";
import { readExactly } from "./read-exactly.js";

/** The end of a segment that is read at once: enough for the directory of a few hundred runs. */
const TAIL_BYTES = 16 * 1024;

/** What a sealed segment says of itself at its head and its end. */
export interface SegmentOutline {
  readonly number: number;
  readonly size: number;
  readonly header: SegmentHeader;
  readonly trailer: Trailer;
  readonly runs: readonly RunEntry[];
}

/** Reads and checks the header of a segment. @param number - by its name. */
export async function readHeader(
  path: string,
  file: File,
  size: number,
  number: number,
  hasher: Hasher,
): Promise<SegmentHeader & { readonly checksum: bigint }> {
  if (size > MAX_SEGMENT_BYTES) throw corrupt(path, MAX_SEGMENT_BYTES, `it is ${size} bytes long, more than any segment`);
  const bytes = new Uint8Array(Math.min(size, SEGMENT_HEADER_BYTES));
  await readExactly(file, bytes, 0, path);
  const header = decodeSegmentHeader(path, bytes, hasher);
  if (header.number !== number) throw corrupt(path, 16, `it is segment ${header.number} by its header, but ${number} by its name`);
  return header;
}

/** Reads the outline of a segment that another one follows, which is therefore sealed. */
export async function readOutline(path: string, file: File, size: number, number: number, hasher: Hasher): Promise<SegmentOutline> {
  const header = await readHeader(path, file, size, number, hasher);
  const seed = segmentSeed(header.logId, number, hasher);
  const tail = new Uint8Array(Math.min(size - SEGMENT_HEADER_BYTES, TAIL_BYTES));
  await readExactly(file, tail, size - tail.length, path);
  const trailer = decodeTrailer(tail.subarray(Math.max(0, tail.length - TRAILER_BYTES)), seed, hasher);
  const trailerAt = Math.max(SEGMENT_HEADER_BYTES, size - TRAILER_BYTES);
  if (trailer === null) throw corrupt(path, trailerAt, "its end is not that of a sealed segment, though another one follows it");
  const { directoryAt } = trailer;
  const length = trailerAt - directoryAt;
  if (directoryAt < SEGMENT_HEADER_BYTES || length < RECORD_HEADER_BYTES) throw corrupt(path, trailerAt, "its trailer makes no sense");
  let record = tail.subarray(Math.max(0, tail.length - TRAILER_BYTES - length), tail.length - TRAILER_BYTES);
  if (length + TRAILER_BYTES > tail.length) {
    record = new Uint8Array(length);
    await readExactly(file, record, directoryAt, path);
  }
  return { number, size, header, trailer, runs: directoryOf(path, record, directoryAt, seed, hasher) };
}

function directoryOf(path: string, record: Uint8Array, directoryAt: number, seed: bigint, hasher: Hasher): RunEntry[] {
  const view = viewOf(record);
  const whole = recordLength(view, 0) === record.length - RECORD_HEADER_BYTES && verifyRecord(record, view, 0, directoryAt, seed, hasher);
  const runs = whole && recordType(view, 0) === RecordType.directory ? decodeDirectory(record.subarray(RECORD_HEADER_BYTES)) : null;
  if (runs === null) throw corrupt(path, directoryAt, "its directory is damaged, though another segment follows it");
  return runs;
}
