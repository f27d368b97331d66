import type { FileLock, FileSystem, Logger, Scheduler } from "@octopii/interfaces";
import { checkIndex } from "./batch-plan.js";
import { toHex } from "./bytes.js";
import { encodeCleanMark } from "./clean-mark.js";
import { CommitQueue } from "./commit-queue.js";
import { ioFailed, WalrusError } from "./errors.js";
import { MARK_NAME } from "./format.js";
import type { Hasher } from "./hasher.js";
import { Intake } from "./intake.js";
import { LogReader } from "./log-reader.js";
import type { LogState } from "./log-state.js";
import { LogWriter } from "./log-writer.js";
import type { WalrusConfig } from "./options.js";
import { SegmentFiles } from "./segment-files.js";
import { type ActiveSegment, type SegmentWriter, writeWholeFile } from "./segment-writer.js";
import type { BatchOperation, Entry, IndexRange, ReadOptions, Walrus, WalrusStatus } from "./types.js";

/** What opening has made ready. */
export interface WalrusParts {
  readonly config: WalrusConfig;
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly logger: Logger | null;
  readonly hasher: Hasher;
  readonly lock: FileLock;
  readonly state: LogState;
  readonly logId: Uint8Array;
  readonly segments: SegmentWriter;
  readonly active: ActiveSegment;
  readonly recovery: WalrusStatus["recovery"];
}

/** The log: takes calls and hands them to the parts that do the work. */
export class WalrusLog implements Walrus {
  readonly #parts: WalrusParts;
  readonly #queue = new CommitQueue();
  readonly #files: SegmentFiles;
  readonly #intake: Intake;
  readonly #writer: LogWriter;
  readonly #reader: LogReader;
  #closing: Promise<void> | null = null;
  #closed = false;

  constructor(parts: WalrusParts) {
    const { config, fileSystem, hasher, state, segments } = parts;
    const { directory, segmentBytes } = config;
    this.#parts = parts;
    this.#files = new SegmentFiles(fileSystem, directory);
    this.#intake = new Intake(state, this.#queue, config);
    this.#writer = new LogWriter({ ...parts, directory, segmentBytes, queue: this.#queue, files: this.#files }, parts.active);
    this.#reader = new LogReader(state, this.#files, hasher, (number) => segments.seed(number));
    this.#writer.reclaim();
  }

  append(topic: string, payload: Uint8Array): Promise<number> {
    try {
      this.#checkOpen();
      const appended = this.#intake.append(topic, payload);
      this.#writer.kick();
      return appended;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendBatch(operations: readonly BatchOperation[]): Promise<readonly IndexRange[]> {
    try {
      this.#checkOpen();
      const appended = this.#intake.batch(operations);
      this.#writer.kick();
      return appended;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async truncateBack(topic: string, index: number): Promise<void> {
    await this.appendBatch([{ topic, truncateBack: index }]);
  }

  async truncateFront(topic: string, index: number): Promise<void> {
    await this.appendBatch([{ topic, truncateFront: index }]);
  }

  async read(topic: string, from: number, options: ReadOptions = {}): Promise<Entry[]> {
    this.#checkOpen();
    checkIndex(from);
    return this.#reader.read(topic, from, options);
  }

  async *entries(topic: string, from: number, options: ReadOptions = {}): AsyncIterableIterator<Entry> {
    let next = from;
    for (let batch = await this.read(topic, next, options); batch.length > 0; batch = await this.read(topic, next, options)) {
      yield* batch;
      next += batch.length;
    }
  }

  bounds(topic: string): IndexRange {
    const bounds = this.#intake.bounds(topic);
    return bounds === undefined ? { first: 1, next: 1 } : { first: bounds.first, next: bounds.next };
  }

  topics(): string[] {
    return this.#intake.names();
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    const barrier = this.#intake.barrier();
    this.#writer.kick();
    await barrier;
  }

  status(): WalrusStatus {
    const { config, logId, recovery, state } = this.#parts;
    return {
      state: this.#state(),
      directory: config.directory,
      logId: toHex(logId),
      topics: this.#intake.names().length,
      segments: state.segments.count,
      firstSegment: state.segments.first,
      lastSegment: state.segments.last,
      bytes: state.segments.bytes,
      queuedBytes: this.#queue.queuedBytes,
      flushes: this.#writer.flushes,
      records: this.#writer.recordsWritten,
      recovery,
    };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #state(): WalrusStatus["state"] {
    if (this.#closed) return "closed";
    if (this.#closing !== null) return "closing";
    return this.#writer.failure === null ? "open" : "poisoned";
  }

  #checkOpen(): void {
    const { directory } = this.#parts.config;
    if (this.#closing !== null) {
      throw new WalrusError("OCTOPII_WALRUS_CLOSED", `The log in ${directory} is closed; open it again.`, { outcome: "failed" });
    }
    const failure = this.#writer.failure;
    if (failure === null) return;
    const message = `The log in ${directory} takes nothing since a write or flush failed; close it, check the disk, and open it again.`;
    throw new WalrusError("OCTOPII_WALRUS_POISONED", message, { outcome: "failed", cause: failure });
  }

  async #close(): Promise<void> {
    const { directory } = this.#parts.config;
    const barrier = this.#intake.barrier();
    this.#writer.kick();
    try {
      // Its callers hear of a failure themselves.
      await barrier.catch(() => undefined);
      await this.#writer.settled();
      await this.#files.close();
      await this.#writer.active.file.close();
      if (this.#writer.failure === null) await this.#writeMark();
    } catch (error) {
      throw ioFailed("close the log in", directory, error);
    } finally {
      await this.#parts.lock.release();
      this.#closed = true;
    }
  }

  async #writeMark(): Promise<void> {
    const { config, fileSystem, hasher, logId } = this.#parts;
    const { number, end, previous } = this.#writer.active;
    const mark = encodeCleanMark({ logId, segment: number, end, last: previous }, hasher);
    await writeWholeFile(fileSystem, config.directory, `${config.directory}/${MARK_NAME}`, [mark]);
  }
}
