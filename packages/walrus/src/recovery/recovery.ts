import type { File, FileSystem } from "@octopii/interfaces";
import { asWalrusError, corrupt, missing } from "../errors.js";
import { type CleanMark, decodeCleanMark } from "../format/clean-mark.js";
import { MARK_BYTES, MARK_NAME, SEGMENT_HEADER_BYTES, segmentName } from "../format/format.js";
import type { Hasher } from "../format/hasher.js";
import { segmentSeed } from "../format/segment-header.js";
import { LogState } from "../state/log-state.js";
import { FrameBuilder } from "../write/frame-builder.js";
import { FrameRecords } from "../write/frame-records.js";
import type { DirectoryContents } from "./directory-contents.js";
import { FrameScanner } from "./frame-scanner.js";
import { readHeader, readOutline, type SegmentOutline } from "./outline.js";
import { readExactly } from "./read-exactly.js";
import { ScanWindow, WINDOW_BYTES } from "./scan-window.js";
import { type LogEnd, SegmentScan } from "./segment-scan.js";

/** Sealed segments whose ends are read at the same time. */
const OUTLINES_AT_ONCE = 8;

/** What was found in a directory. Nothing in it has been changed yet. */
export interface RecoveredLog {
  readonly state: LogState;
  readonly logId: Uint8Array;
  readonly end: LogEnd;
  /** The bytes after `end`, zeros that were written ahead left out, which pass for a torn write. */
  readonly tornBytes: number;
  /** Whether the file is longer than `end`. */
  readonly isLonger: boolean;
  /** Whether the log was closed properly. */
  readonly clean: boolean;
}

/**
 * Finds out what a log holds, and judges it: reads the ends of sealed segments and all of the last one. Changes nothing.
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

/** Opens a file for reading, and closes it whatever happens. */
export async function withFile<T>(fileSystem: FileSystem, path: string, use: (file: File, size: number) => Promise<T>): Promise<T> {
  let file: File | null = null;
  try {
    file = await fileSystem.open(path, { mode: "read" });
    return await use(file, await file.size());
  } catch (error) {
    throw asWalrusError(error, "read", path);
  } finally {
    await file?.close();
  }
}

/** Reads the mark of a clean close. */
export async function readMark(fileSystem: FileSystem, directory: string, hasher: Hasher): Promise<CleanMark> {
  const path = `${directory}/${MARK_NAME}`;
  return withFile(fileSystem, path, async (file, size) => {
    const bytes = new Uint8Array(Math.min(size, MARK_BYTES + 1));
    await readExactly(file, bytes, 0, path);
    return decodeCleanMark(path, bytes, hasher);
  });
}

/** No segment may be missing between others, nor at the end if the mark names one. */
export function checkNumbers(directory: string, numbers: readonly number[], mark: CleanMark | null): void {
  const path = (number: number): string => `${directory}/${segmentName(number)}`;
  for (const [at, number] of numbers.entries()) {
    const due = (numbers[0] ?? 0) + at;
    if (number !== due) throw missing(path(due), `${segmentName(number)} follows it`);
  }
  if (mark === null) return;
  const last = numbers.at(-1) ?? 0;
  const { segment } = mark;
  if (last < segment) throw missing(path(segment), "the log ended in it when it was closed");
  if (last > segment) throw corrupt(path(segment + 1), 0, `when the log was closed, it ended with ${segmentName(segment)}`);
}

/** The log must end as the mark of its close says. */
export function checkMark(path: string, mark: CleanMark, logId: Uint8Array, end: LogEnd): void {
  if (!mark.logId.every((byte, at) => logId[at] === byte)) throw corrupt(path, 24, "it belongs to another log than the mark of the close");
  if (mark.end !== end.end)
    throw corrupt(path, Math.min(mark.end, end.end), `it ended at ${mark.end} when the log was closed, and now at ${end.end}`);
  if (mark.last !== end.previous) throw corrupt(path, end.lastFrame, "its last frame is not the one that it had when the log was closed");
}

/** A segment must be of the same log as the one before it, and follow that one's seal. */
export function checkFollows(
  path: string,
  header: { logId: Uint8Array; previous: bigint },
  before: { logId: Uint8Array; seal: bigint } | null,
): void {
  if (before === null) return;
  if (!before.logId.every((byte, at) => header.logId[at] === byte))
    throw corrupt(path, 24, "it belongs to another log than the segment before it");
  if (header.previous !== before.seal) throw corrupt(path, 40, "it does not follow the segment before it: that one's seal is another");
}

/** Every entry that should be there is in one of the segments. */
export function checkComplete(directory: string, oldest: number, state: LogState): void {
  const topic = state.incompleteTopic();
  if (topic === null) return;
  throw missing(`${directory}/${segmentName(oldest - 1)}`, `entry ${topic.missing} of topic "${topic.name}" is in no other`);
}

class Recovery {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #hasher: Hasher;
  readonly #state = new LogState();

  constructor(fileSystem: FileSystem, directory: string, hasher: Hasher) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#hasher = hasher;
  }

  async run({ segments: numbers, marked }: DirectoryContents): Promise<RecoveredLog | null> {
    const mark = marked ? await readMark(this.#fileSystem, this.#directory, this.#hasher) : null;
    checkNumbers(this.#directory, numbers, mark);
    const last = numbers.at(-1);
    if (last === undefined) return null;
    const outlines = await this.#readOutlines(numbers.slice(0, -1));
    const found = await this.#scanLast(last, outlines, mark !== null);
    checkComplete(this.#directory, numbers[0] ?? 0, this.#state);
    if (mark !== null) checkMark(this.#path(last), mark, found.logId, found.end);
    return { state: this.#state, ...found, clean: mark !== null };
  }

  #path(number: number): string {
    return `${this.#directory}/${segmentName(number)}`;
  }

  async #readOutlines(numbers: readonly number[]): Promise<SegmentOutline[]> {
    const outlines: SegmentOutline[] = [];
    for (let at = 0; at < numbers.length; at += OUTLINES_AT_ONCE) {
      const reads = numbers.slice(at, at + OUTLINES_AT_ONCE).map((number) => {
        const path = this.#path(number);
        return withFile(this.#fileSystem, path, (file, size) => readOutline(path, file, size, number, this.#hasher));
      });
      await Promise.allSettled(reads);
      outlines.push(...(await Promise.all(reads)));
    }
    for (const [at, { number, header }] of outlines.entries()) {
      const before = outlines[at - 1];
      checkFollows(this.#path(number), header, before === undefined ? null : { logId: before.header.logId, seal: before.trailer.seal });
    }
    return outlines;
  }

  async #scanLast(number: number, outlines: readonly SegmentOutline[], clean: boolean): Promise<Omit<RecoveredLog, "state" | "clean">> {
    const path = this.#path(number);
    const state = this.#state;
    return withFile(this.#fileSystem, path, async (file, size) => {
      const header = await readHeader(path, file, size, number, this.#hasher);
      const before = outlines.at(-1);
      checkFollows(path, header, before === undefined ? null : { logId: before.header.logId, seal: before.trailer.seal });
      for (const { number: sealed, size: bytes, trailer } of outlines) state.segments.add(sealed, bytes, bytes - trailer.sealAt);
      state.segments.add(number, size, 0);
      const spare = size > WINDOW_BYTES ? new Uint8Array(WINDOW_BYTES) : null;
      const window = new ScanWindow(file, size, new Uint8Array(Math.min(size, WINDOW_BYTES)), null, spare);
      const scanner = new FrameScanner(window, segmentSeed(header.logId, number, this.#hasher), this.#hasher);
      const scan = new SegmentScan(
        { path, number, headerChecksum: header.checksum, isLast: true, clean },
        window,
        scanner,
        new FrameRecords(),
        {
          checkpoint: (records) => state.loadCheckpoint(records) ?? this.#cover(outlines, number),
          commit: (records) => state.applyCommit(records, number),
          seal: () => null,
        },
      );
      try {
        const end = await scan.run();
        state.segments.lengthen(end.end - size);
        return { logId: header.logId, end, tornBytes: clean ? 0 : await scan.tornBytes(end.end), isLonger: size > end.end };
      } finally {
        await window.settled();
      }
    });
  }

  /** @param last - the segment whose head has just been read. */
  #cover(outlines: readonly SegmentOutline[], last: number): null {
    const head = headBytes(this.#state);
    this.#state.segments.countFramework(last, head);
    for (const { number, runs, trailer } of outlines) {
      // Nobody read its head. It is hardly longer than the newest, for topics only come, and leaves room for its entries.
      const entries = runs.reduce((sum, { bytes }) => sum + bytes, 0);
      this.#state.segments.countFramework(number, Math.max(0, Math.min(head, trailer.sealAt - entries)));
      const problem = this.#state.cover(number, runs);
      if (problem !== null) throw corrupt(this.#path(number), trailer.directoryAt, `its directory names ${problem}`);
    }
    return null;
  }
}

/** The bytes before the first commit of a segment whose head says what `state` holds. */
function headBytes(state: LogState): number {
  const builder = new FrameBuilder();
  state.writeCheckpoint(builder);
  return SEGMENT_HEADER_BYTES + builder.byteLength;
}
