import { viewOf } from "../format/bytes.js";
import {
  FIRST_FOOTER_TYPE,
  FRAME_HEADER_BYTES,
  FRAME_MAGIC_FIRST_BYTE,
  FrameKind,
  RECORD_HEADER_BYTES,
  RecordType,
} from "../format/format.js";
import { type FrameHeader, isFrameKind, readFrameHeader } from "../format/frame-codec.js";
import type { Hasher, HashStream } from "../format/hasher.js";
import {
  decodeCursorRecord,
  decodeTopicRecord,
  recordEncoding,
  recordIndex,
  recordLength,
  recordTopic,
  recordType,
  startVerifying,
  storedChecksum,
} from "../format/record-codec.js";
import { RecordHasher } from "../format/record-hasher.js";
import type { FrameRecords } from "../write/frame-records.js";
import type { ScanWindow } from "./scan-window.js";

/** Records up to this length are checked in the window; longer ones piece by piece. */
const WHOLE_UP_TO_BYTES = 64 * 1024;

const MISMATCH = "the checksum of a record does not match";

/** What stands at one place of a segment. */
export type ScannedFrame =
  /** A frame whose checksums are all right. */
  | { readonly damaged: false; readonly header: FrameHeader; readonly end: number }
  /** Something else. `torn`: a write that was cut off could have left it; otherwise it was written like this, or is a mixture. */
  | { readonly damaged: true; readonly torn: boolean; readonly offset: number; readonly problem: string };

function torn(offset: number, problem: string): ScannedFrame {
  return { damaged: true, torn: true, offset, problem };
}

function impossible(offset: number, problem: string): ScannedFrame {
  return { damaged: true, torn: false, offset, problem };
}

/** Reads the frames of one segment and checks their checksums. What they mean is not its business. */
export class FrameScanner {
  readonly #window: ScanWindow;
  readonly #seed: bigint;
  readonly #hasher: Hasher;
  readonly #checksums: ChecksumBatch;
  readonly #recordHasher: RecordHasher;
  /** Which contents of the window `#recordHasher` looks at. */
  #loads = -1;

  constructor(window: ScanWindow, seed: bigint, hasher: Hasher) {
    this.#window = window;
    this.#seed = seed;
    this.#hasher = hasher;
    this.#checksums = new ChecksumBatch(seed, hasher);
    this.#recordHasher = new RecordHasher(hasher, seed);
  }

  /** Reads the frame at `offset`. @param records - gets a line for each of its records. */
  async read(offset: number, records: FrameRecords): Promise<ScannedFrame> {
    records.clear();
    this.#checksums.clear();
    const header = await this.#headerAt(offset);
    if (header === null) return torn(offset, "there is no valid frame");
    if (!isFrameKind(header.kind)) return impossible(offset, `a frame of unknown kind ${header.kind}`);
    if (header.count * RECORD_HEADER_BYTES > header.bodyBytes) return impossible(offset, "a frame with more records than fit in it");
    const start = offset + FRAME_HEADER_BYTES;
    const end = start + header.bodyBytes;
    if (end > this.#window.size) return torn(offset, `a frame of ${header.bodyBytes} bytes that does not end within the file`);
    const failure = await this.#readBody(start, end, header, records);
    if (failure !== null) return failure;
    if (this.#checksums.digest() !== header.digest) return torn(offset, "the records of a frame are not those that it was written with");
    return { damaged: false, header, end };
  }

  async #readBody(start: number, end: number, header: FrameHeader, records: FrameRecords): Promise<ScannedFrame | null> {
    const window = this.#window;
    let at = start;
    for (let record = 0; record < header.count; record++) {
      if (at + RECORD_HEADER_BYTES > end) return torn(at, "a record beyond the end of its frame");
      if (!window.has(at, RECORD_HEADER_BYTES)) await window.load(at);
      if (!window.has(at, RECORD_HEADER_BYTES)) return torn(at, "the file ends within a record");
      const length = recordLength(window.view, window.at(at));
      const next = at + RECORD_HEADER_BYTES + length;
      if (next > end) return torn(at, "a record beyond the end of its frame");
      if (length > WHOLE_UP_TO_BYTES) {
        const failure = await this.#readLong(at, length, header.kind, records);
        if (failure !== null) return failure;
      } else {
        if (!window.has(at, next - at)) await window.load(at);
        if (!window.has(at, next - at)) return torn(at, "the file ends within a record");
        const failure = this.#readShort(at, length, header.kind, records);
        if (failure !== null) return failure;
      }
      at = next;
    }
    return at === end ? null : torn(at, "bytes in a frame that belong to no record");
  }

  #readShort(offset: number, length: number, kind: number, records: FrameRecords): ScannedFrame | null {
    const { bytes, view } = this.#window;
    const at = this.#window.at(offset);
    if (!this.#verify(at, at + RECORD_HEADER_BYTES + length, offset)) return torn(offset, MISMATCH);
    this.#checksums.add(storedChecksum(view, at));
    const type = recordType(view, at);
    if (kind === FrameKind.seal) return type >= FIRST_FOOTER_TYPE ? null : impossible(offset, `a record of type ${type} in a seal`);
    if (recordEncoding(view, at) !== 0) return impossible(offset, `a record in encoding ${recordEncoding(view, at)}, which is not known`);
    records.add(type, recordTopic(view, at), recordIndex(view, at), offset, length);
    if (type === RecordType.cursor || type === RecordType.dropCursor) {
      const cursor = decodeCursorRecord(bytes, view, at);
      if (cursor === null) return impossible(offset, "a cursor's record that makes no sense");
      records.cursors.push(cursor);
      return kind === FrameKind.checkpoint && type !== RecordType.cursor ? impossible(offset, "a dropped cursor in a checkpoint") : null;
    }
    if (type === RecordType.topic) {
      const declaration = decodeTopicRecord(bytes, view, at);
      if (declaration === null) return impossible(offset, "a topic record that makes no sense");
      records.declarations.push(declaration);
      return null;
    }
    return kind === FrameKind.checkpoint ? impossible(offset, `a record of type ${type} in a checkpoint`) : null;
  }

  #verify(at: number, end: number, offset: number): boolean {
    const { bytes, loads } = this.#window;
    if (loads !== this.#loads) {
      this.#recordHasher.begin(bytes, bytes.length);
      this.#loads = loads;
    }
    return this.#recordHasher.verify(at, end, offset);
  }

  /** A record that is checked piece by piece, because it may not fit in the window. */
  async #readLong(offset: number, length: number, kind: number, records: FrameRecords): Promise<ScannedFrame | null> {
    const { view } = this.#window;
    const at = this.#window.at(offset);
    const stored = storedChecksum(view, at);
    const type = recordType(view, at);
    const topic = recordTopic(view, at);
    const index = recordIndex(view, at);
    const encoding = recordEncoding(view, at);
    if ((await this.#digestLong(offset, length)) !== stored) return torn(offset, MISMATCH);
    this.#checksums.add(stored);
    if (kind === FrameKind.seal && type >= FIRST_FOOTER_TYPE) return null;
    const isEntry = type === RecordType.append || type === RecordType.move;
    if (kind !== FrameKind.commit || !isEntry || encoding !== 0) return impossible(offset, `a record of type ${type} and ${length} bytes`);
    records.add(type, topic, index, offset, length);
    return null;
  }

  async #headerAt(offset: number): Promise<FrameHeader | null> {
    const window = this.#window;
    if (!window.has(offset, FRAME_HEADER_BYTES)) await window.load(offset);
    if (!window.has(offset, FRAME_HEADER_BYTES)) return null;
    return readFrameHeader(window.bytes, window.view, window.at(offset), offset, this.#seed, this.#hasher);
  }

  /** The checksum of a record that does not fit in the window. */
  async #digestLong(offset: number, length: number): Promise<bigint | null> {
    const window = this.#window;
    const stream = startVerifying(window.bytes, window.view, window.at(offset), offset, this.#seed, this.#hasher);
    const end = offset + RECORD_HEADER_BYTES + length;
    for (let at = offset + RECORD_HEADER_BYTES; at < end; ) {
      const got = Math.min(await window.load(at), end - at);
      if (got === 0) return null;
      stream.update(window.bytes.subarray(0, got));
      at += got;
    }
    return stream.digest();
  }

  /**
   * The place of the first valid frame header at or after `from` that was written when all up to `durable` was on stable storage; null if
   * there is none. @param durable - default: any.
   */
  async find(from: number, durable = 0): Promise<number | null> {
    const window = this.#window;
    for (let offset = from; offset + FRAME_HEADER_BYTES <= window.size; ) {
      const got = await window.load(offset);
      if (got < FRAME_HEADER_BYTES) return null;
      for (let at = 0; ; at++) {
        at = window.bytes.indexOf(FRAME_MAGIC_FIRST_BYTE, at);
        if (at === -1 || at + FRAME_HEADER_BYTES > got) break;
        const header = readFrameHeader(window.bytes, window.view, at, offset + at, this.#seed, this.#hasher);
        if (header !== null && header.durable >= durable) return offset + at;
      }
      offset += got - FRAME_HEADER_BYTES + 1;
    }
    return null;
  }
}

const BATCH_CHECKSUMS = 1024;

/** Hashes checksums, many at a time. */
class ChecksumBatch {
  readonly #seed: bigint;
  readonly #hasher: Hasher;
  readonly #bytes: Uint8Array = new Uint8Array(BATCH_CHECKSUMS * 8);
  readonly #view: DataView = viewOf(this.#bytes);
  #filled = 0;
  #stream: HashStream | null = null;

  constructor(seed: bigint, hasher: Hasher) {
    this.#seed = seed;
    this.#hasher = hasher;
  }

  clear(): void {
    this.#filled = 0;
    this.#stream = null;
  }

  add(checksum: bigint): void {
    this.#view.setBigUint64(this.#filled * 8, checksum, true);
    if (++this.#filled < BATCH_CHECKSUMS) return;
    this.#stream ??= this.#hasher.start(this.#seed);
    this.#stream.update(this.#bytes);
    this.#filled = 0;
  }

  digest(): bigint {
    const rest = this.#bytes.subarray(0, this.#filled * 8);
    return this.#stream === null ? this.#hasher.hash(rest, this.#seed) : this.#stream.update(rest).digest();
  }
}
