import type { File, FileSystem } from "@octopii/interfaces";
import { type CleanMark, decodeCleanMark } from "./clean-mark.js";
import { asWalrusError, corrupt, ioFailed } from "./errors.js";
import {
  FrameKind,
  isTemporaryName,
  MARK_BYTES,
  MARK_NAME,
  MAX_SEGMENT_BYTES,
  SEGMENT_HEADER_BYTES,
  segmentName,
  segmentNumber,
} from "./format.js";
import type { FrameHeader } from "./frame-codec.js";
import { FrameRecords } from "./frame-records.js";
import { FrameScanner, type ScannedFrame } from "./frame-scanner.js";
import type { Hasher } from "./hasher.js";
import { LogState } from "./log-state.js";
import { ScanWindow, WINDOW_BYTES } from "./scan-window.js";
import { decodeSegmentHeader, segmentSeed } from "./segment-header.js";

/** Where a log ends. */
export interface LogEnd {
  /** The last segment. */
  readonly segment: number;
  /** Its length without what is cut. */
  readonly end: number;
  /** The offset of its last frame. */
  readonly lastFrame: number;
  /** That frame's checksum. */
  readonly previous: bigint;
  /** Whether that frame is a seal, so that the next segment is still to be made. */
  readonly sealed: boolean;
}

/** What was found in a directory. Nothing in it has been changed yet. */
export interface RecoveredLog {
  readonly state: LogState;
  readonly logId: Uint8Array;
  readonly end: LogEnd;
  /** The bytes after `end`, which pass for a torn write. */
  readonly tornBytes: number;
  /** Whether the log was closed properly. */
  readonly clean: boolean;
}

/** The names in a log's directory that matter. */
export interface DirectoryContents {
  readonly segments: readonly number[];
  readonly temporaries: readonly string[];
  readonly marked: boolean;
}

/** Sorts the names in a directory. Others than ours are left alone. */
export function sortNames(names: readonly string[]): DirectoryContents {
  const segments = names.map(segmentNumber).filter((number) => number !== null);
  return { segments: segments.sort((a, b) => a - b), temporaries: names.filter(isTemporaryName), marked: names.includes(MARK_NAME) };
}

/**
 * Reads a whole log and judges it. Changes nothing.
 * @returns null if there is no log.
 * @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT`, `OCTOPII_WALRUS_UNSUPPORTED_VERSION`, `OCTOPII_WALRUS_IO_FAILED`
 */
export async function recover(
  fileSystem: FileSystem,
  directory: string,
  contents: DirectoryContents,
  hasher: Hasher,
): Promise<RecoveredLog | null> {
  return new Recovery(fileSystem, directory, hasher).run(contents);
}

class Recovery {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #hasher: Hasher;
  readonly #state = new LogState();
  readonly #records = new FrameRecords();
  #buffer = new Uint8Array(0);
  #mark: CleanMark | null = null;
  #logId: Uint8Array | null = null;
  #end: LogEnd | null = null;
  #tornBytes = 0;

  constructor(fileSystem: FileSystem, directory: string, hasher: Hasher) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#hasher = hasher;
  }

  async run(contents: DirectoryContents): Promise<RecoveredLog | null> {
    if (contents.marked) this.#mark = await this.#readMark();
    const numbers = contents.segments;
    this.#checkNumbers(numbers);
    for (const number of numbers) await this.#scan(number, number === numbers.at(-1));
    if (this.#end === null || this.#logId === null) return null;
    this.#checkComplete(numbers[0] ?? 0);
    this.#checkMark(this.#end);
    return { state: this.#state, logId: this.#logId, end: this.#end, tornBytes: this.#tornBytes, clean: this.#mark !== null };
  }

  #path(number: number): string {
    return `${this.#directory}/${segmentName(number)}`;
  }

  async #withFile<T>(path: string, use: (file: File, size: number) => Promise<T>): Promise<T> {
    let file: File | null = null;
    try {
      file = await this.#fileSystem.open(path, { mode: "read" });
      return await use(file, await file.size());
    } catch (error) {
      throw asWalrusError(error, "read", path);
    } finally {
      await file?.close();
    }
  }

  async #readMark(): Promise<CleanMark> {
    const path = `${this.#directory}/${MARK_NAME}`;
    return this.#withFile(path, async (file, size) => {
      const bytes = new Uint8Array(Math.min(size, MARK_BYTES + 1));
      await readExactly(file, bytes, 0, path);
      return decodeCleanMark(path, bytes, this.#hasher);
    });
  }

  /** No segment may be missing between others, nor at the end if the mark names one. */
  #checkNumbers(numbers: readonly number[]): void {
    for (const [at, number] of numbers.entries()) {
      const due = (numbers[0] ?? 0) + at;
      if (number !== due) throw corrupt(this.#path(due), 0, `the file is missing, though ${segmentName(number)} follows it`);
    }
    if (this.#mark === null) return;
    const last = numbers.at(-1) ?? 0;
    const { segment } = this.#mark;
    if (last < segment) throw corrupt(this.#path(segment), 0, "the file is missing, though the log ended in it when it was closed");
    if (last > segment) throw corrupt(this.#path(segment + 1), 0, `when the log was closed, it ended with ${segmentName(segment)}`);
  }

  async #scan(number: number, isLast: boolean): Promise<void> {
    const path = this.#path(number);
    await this.#withFile(path, async (file, size) => {
      if (size > MAX_SEGMENT_BYTES) throw corrupt(path, MAX_SEGMENT_BYTES, `it is ${size} bytes long, more than any segment`);
      const first = await this.#readHeader(path, file, size, number);
      const needed = Math.min(size, WINDOW_BYTES);
      if (this.#buffer.length < needed) this.#buffer = new Uint8Array(needed);
      const window = new ScanWindow(file, size, this.#buffer);
      const seed = segmentSeed(this.#logId ?? new Uint8Array(0), number, this.#hasher);
      this.#state.segments.add(number, size);
      const scan = new SegmentScan(path, number, window, new FrameScanner(window, seed, this.#hasher), this.#state, this.#records);
      const found = await scan.run(first, isLast, this.#mark !== null);
      this.#end = found.end;
      this.#tornBytes = size - found.end.end;
      this.#state.segments.lengthen(-this.#tornBytes);
    });
  }

  /** Checks a segment's header against its name and the segment before it; gives the header's checksum. */
  async #readHeader(path: string, file: File, size: number, number: number): Promise<{ checksum: bigint; isOldest: boolean }> {
    const bytes = new Uint8Array(Math.min(size, SEGMENT_HEADER_BYTES));
    await readExactly(file, bytes, 0, path);
    const header = decodeSegmentHeader(path, bytes, this.#hasher);
    if (header.number !== number) throw corrupt(path, 16, `it is segment ${header.number} by its header, but ${number} by its name`);
    const isOldest = this.#logId === null;
    this.#logId ??= header.logId;
    const ownLog = this.#logId.every((byte, at) => header.logId[at] === byte);
    if (!ownLog) throw corrupt(path, 24, "it belongs to another log than the segment before it");
    if (!isOldest && header.previous !== this.#end?.previous) {
      throw corrupt(path, 40, "it does not follow the segment before it: that one's seal is another");
    }
    return { checksum: header.checksum, isOldest };
  }

  /** Every entry that should be there is in one of the segments. */
  #checkComplete(oldest: number): void {
    const topic = this.#state.incompleteTopic();
    if (topic === null) return;
    const what = `the file is missing: entries ${topic.first} to ${topic.first + topic.missing - 1} of topic "${topic.name}" are in no other`;
    throw corrupt(this.#path(oldest - 1), 0, what);
  }

  #checkMark(end: LogEnd): void {
    const mark = this.#mark;
    if (mark === null) return;
    const path = this.#path(end.segment);
    if (!mark.logId.every((byte, at) => this.#logId?.[at] === byte))
      throw corrupt(path, 24, "it belongs to another log than the mark of the close");
    if (mark.end !== end.end)
      throw corrupt(path, Math.min(mark.end, end.end), `it ended at ${mark.end} when the log was closed, and now at ${end.end}`);
    if (mark.last !== end.previous) throw corrupt(path, end.lastFrame, "its last frame is not the one that it had when the log was closed");
  }
}

/** Judges one segment. */
class SegmentScan {
  readonly #path: string;
  readonly #number: number;
  readonly #window: ScanWindow;
  readonly #scanner: FrameScanner;
  readonly #state: LogState;
  readonly #records: FrameRecords;

  constructor(path: string, number: number, window: ScanWindow, scanner: FrameScanner, state: LogState, records: FrameRecords) {
    this.#path = path;
    this.#number = number;
    this.#window = window;
    this.#scanner = scanner;
    this.#state = state;
    this.#records = records;
  }

  async run(header: { checksum: bigint; isOldest: boolean }, isLast: boolean, clean: boolean): Promise<{ end: LogEnd }> {
    let end: LogEnd = {
      segment: this.#number,
      end: SEGMENT_HEADER_BYTES,
      lastFrame: 0,
      previous: header.checksum,
      sealed: false,
    };
    while (end.end < this.#window.size || end.lastFrame === 0) {
      if (end.sealed) throw corrupt(this.#path, end.end, "there are bytes after its seal");
      const frame = await this.#scanner.read(end.end, this.#records);
      if (frame.damaged) {
        await this.#judge(end, frame, isLast, clean);
        return { end };
      }
      this.#apply(end, frame.header, header.isOldest);
      const { kind, checksum } = frame.header;
      end = { segment: this.#number, end: frame.end, lastFrame: end.end, previous: checksum, sealed: kind === FrameKind.seal };
    }
    if (!isLast && !end.sealed)
      throw corrupt(this.#path, end.end, `it ends without a seal, though ${segmentName(this.#number + 1)} follows it`);
    return { end };
  }

  /** Returns if the damage at the end of the segment passes for a torn write; throws if it must be corruption. */
  async #judge(end: LogEnd, frame: ScannedFrame & { damaged: true }, isLast: boolean, clean: boolean): Promise<void> {
    const { offset, problem } = frame;
    if (!frame.torn) throw corrupt(this.#path, offset, problem);
    if (end.lastFrame === 0)
      throw corrupt(this.#path, offset, `${problem}, within its head, which was durable before the file had its name`);
    if (!isLast) throw corrupt(this.#path, offset, `${problem}, though ${segmentName(this.#number + 1)} follows it`);
    if (clean) throw corrupt(this.#path, offset, `${problem}, though the log was closed properly`);
    const later = await this.#scanner.find(end.end + 1);
    if (later !== null) throw corrupt(this.#path, offset, `${problem}, though a valid frame follows at ${later}, so this was once durable`);
  }

  #apply(end: LogEnd, header: FrameHeader, isOldest: boolean): void {
    if (header.previous !== end.previous) throw corrupt(this.#path, end.end, "a frame that does not follow the one before it");
    const atHead = end.lastFrame === 0;
    if ((header.kind === FrameKind.checkpoint) !== atHead)
      throw corrupt(this.#path, end.end, `a frame of kind ${header.kind} where none may be`);
    if (header.kind === FrameKind.seal) return;
    const misfit = !atHead
      ? this.#state.applyCommit(this.#records, this.#number)
      : isOldest
        ? this.#state.loadCheckpoint(this.#records)
        : this.#state.matchCheckpoint(this.#records);
    if (misfit !== null) throw corrupt(this.#path, misfit.offset === 0 ? end.end : misfit.offset, misfit.problem);
  }
}

/** Fills `bytes` or fails. */
export async function readExactly(file: File, bytes: Uint8Array, position: number, path: string): Promise<void> {
  const got = await file.read(bytes, position);
  if (got !== bytes.length) throw ioFailed("read", path, new Error(`only ${got} of ${bytes.length} bytes are there at ${position}`));
}
