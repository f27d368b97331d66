import { corrupt, isWalrusError, type WalrusError } from "../errors.js";
import type { CleanMark } from "../format/clean-mark.js";
import { segmentSeed } from "../format/segment-header.js";
import { FrameScanner } from "../recovery/frame-scanner.js";
import { readHeader, readOutline } from "../recovery/outline.js";
import { checkComplete, checkFollows, checkMark, checkNumbers, readMark, withFile } from "../recovery/recovery.js";
import { ScanWindow, WINDOW_BYTES } from "../recovery/scan-window.js";
import { type LogEnd, SegmentScan } from "../recovery/segment-scan.js";
import { LogState } from "../state/log-state.js";
import { FrameRecords } from "../write/frame-records.js";
import { buildSeal } from "../write/seal.js";
import type { LogDirectory, Progress } from "./log-directory.js";

/** What a reader of every frame is told. */
export interface ReplayWatcher {
  /** A frame whose checksums are right. @param kind - `checkpoint` or `commit`. */
  onFrame?(kind: "checkpoint" | "commit", segment: number, records: FrameRecords): void;
  onProgress?(progress: Progress): void;
}

/** How far a log could be read. */
export interface Replay {
  readonly state: LogState;
  readonly logId: Uint8Array | null;
  /** Where the sound part ends, a seal at its end left out; null if there is none. */
  readonly end: LogEnd | null;
  readonly tornBytes: number;
  readonly mark: CleanMark | null;
  /** Why it could not be read further, or all that was found wrong with its ends; null if it is sound. */
  readonly problem: WalrusError | null;
  readonly frames: number;
  readonly records: number;
  readonly bytes: number;
}

/** Reads every byte of a log, frame by frame, and holds each statement against the others. Changes nothing. */
export class Replayer {
  readonly #log: LogDirectory;
  readonly #watcher: ReplayWatcher;
  readonly #state = new LogState();
  readonly #records = new FrameRecords();
  #buffer = new Uint8Array(0);
  #spare: Uint8Array | null = null;
  #mark: CleanMark | null = null;
  #before: { logId: Uint8Array; seal: bigint } | null = null;
  #end: LogEnd | null = null;
  #tornBytes = 0;
  #frames = 0;
  #count = 0;
  #bytes = 0;

  constructor(log: LogDirectory, watcher: ReplayWatcher = {}) {
    this.#log = log;
    this.#watcher = watcher;
  }

  async run(): Promise<Replay> {
    let problem: WalrusError | null = null;
    try {
      await this.#readAll();
    } catch (error) {
      if (!isWalrusError(error, "OCTOPII_WALRUS_CORRUPT")) throw error;
      problem = error;
    }
    return {
      state: this.#state,
      logId: this.#before?.logId ?? null,
      end: this.#end,
      tornBytes: this.#tornBytes,
      mark: this.#mark,
      problem,
      frames: this.#frames,
      records: this.#count,
      bytes: this.#bytes,
    };
  }

  async #readAll(): Promise<void> {
    const { directory, fileSystem, hasher, contents, path } = this.#log;
    const numbers = contents.segments;
    let markProblem: unknown = null;
    if (contents.marked) {
      this.#mark = await readMark(fileSystem, directory, hasher).catch((error: unknown) => {
        markProblem = error;
        return null;
      });
    }
    const totalBytes = await this.#sizeOf(numbers);
    let gap: unknown = null;
    try {
      checkNumbers(directory, numbers, this.#mark);
    } catch (error) {
      gap = error;
    }
    for (const [at, number] of numbers.entries()) {
      if (number !== (numbers[0] ?? 0) + at) break;
      try {
        await this.#segment(number, at === numbers.length - 1, totalBytes);
      } catch (error) {
        // What is missing is the reason why the last one that is there does not fit.
        throw gap !== null && at === numbers.length - 1 && isWalrusError(error, "OCTOPII_WALRUS_CORRUPT") ? gap : error;
      }
    }
    if (gap !== null) throw gap;
    if (markProblem !== null) throw markProblem;
    if (this.#end === null) return;
    checkComplete(directory, numbers[0] ?? 0, this.#state);
    if (this.#mark !== null && this.#before !== null) checkMark(path(this.#end.segment), this.#mark, this.#before.logId, this.#end);
  }

  async #sizeOf(numbers: readonly number[]): Promise<number> {
    let total = 0;
    for (const number of numbers) total += await withFile(this.#log.fileSystem, this.#log.path(number), async (_, size) => size);
    return total;
  }

  async #segment(number: number, isLast: boolean, totalBytes: number): Promise<void> {
    const { fileSystem, hasher } = this.#log;
    const path = this.#log.path(number);
    await withFile(fileSystem, path, async (file, size) => {
      const header = await readHeader(path, file, size, number, hasher);
      checkFollows(path, header, this.#before);
      const isOldest = this.#before === null;
      this.#before = { logId: header.logId, seal: 0n };
      this.#state.segments.add(number, size, 0);
      if (this.#buffer.length < Math.min(size, WINDOW_BYTES)) this.#buffer = new Uint8Array(Math.min(size, WINDOW_BYTES));
      const seed = segmentSeed(header.logId, number, hasher);
      if (size > WINDOW_BYTES) this.#spare ??= new Uint8Array(WINDOW_BYTES);
      const onRead = (read: number): void => this.#watcher.onProgress?.({ bytes: this.#bytes + read, totalBytes });
      const window = new ScanWindow(file, size, this.#buffer, onRead, this.#spare);
      const scan = new SegmentScan(
        { path, number, headerChecksum: header.checksum, isLast, clean: this.#mark !== null },
        window,
        new FrameScanner(window, seed, hasher),
        this.#records,
        {
          checkpoint: (records) => this.#checkpoint(records, number, isOldest),
          commit: (records) => this.#commit(records, number),
          seal: (end, sealed) => {
            const place = { seed, position: end.end, previous: end.previous, durable: sealed.durable };
            if (buildSeal(this.#state, number, place, hasher).checksum === sealed.checksum || isLast) return null;
            return { problem: "its directory does not say what is in the segment", offset: end.end };
          },
          reached: (end) => {
            this.#end = end;
          },
        },
      );
      const end = await thenSettled(window, scan.run());
      this.#bytes += size;
      if (isLast) this.#tornBytes = this.#mark === null ? await thenSettled(window, scan.tornBytes(end.end)) : 0;
      else await this.#checkTrailer(path, number, end);
      this.#before = { logId: header.logId, seal: end.previous };
    });
  }

  async #checkTrailer(path: string, number: number, end: LogEnd): Promise<void> {
    const { fileSystem, hasher } = this.#log;
    const { trailer } = await withFile(fileSystem, path, (file, size) => readOutline(path, file, size, number, hasher));
    if (trailer.sealAt !== end.lastFrame || trailer.seal !== end.previous)
      throw corrupt(path, end.end, "its trailer is that of another seal");
  }

  #checkpoint(records: FrameRecords, number: number, isOldest: boolean): ReturnType<LogState["loadCheckpoint"]> {
    this.#note("checkpoint", records, number);
    return isOldest ? this.#state.loadCheckpoint(records) : this.#state.matchCheckpoint(records);
  }

  #commit(records: FrameRecords, number: number): ReturnType<LogState["applyCommit"]> {
    this.#note("commit", records, number);
    return this.#state.applyCommit(records, number);
  }

  #note(kind: "checkpoint" | "commit", records: FrameRecords, segment: number): void {
    this.#frames++;
    this.#count += records.count;
    this.#watcher.onFrame?.(kind, segment, records);
  }
}

/** What a scan comes to, once nothing is being read ahead for it any more: the file is closed then. */
async function thenSettled<Value>(window: { settled(): Promise<unknown> }, scan: Promise<Value>): Promise<Value> {
  try {
    return await scan;
  } finally {
    await window.settled();
  }
}
