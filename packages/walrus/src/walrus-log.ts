import type { FileLock, FileSystem, Logger, Scheduler } from "@octopii/interfaces";
import { CursorBook } from "./cursors/cursor-book.js";
import { ioFailed, WalrusError } from "./errors.js";
import { toHex } from "./format/bytes.js";
import { encodeCleanMark } from "./format/clean-mark.js";
import { MARK_NAME } from "./format/format.js";
import type { Hasher } from "./format/hasher.js";
import type { WalrusConfig } from "./options.js";
import { Changes } from "./read/changes.js";
import { IndexCache } from "./read/index-cache.js";
import { LogReader } from "./read/log-reader.js";
import { SegmentFiles } from "./read/segment-files.js";
import { Follower } from "./read/tail.js";
import { Reclaimer } from "./reclaim/reclaimer.js";
import { Rewriter } from "./reclaim/rewriter.js";
import type { LogState } from "./state/log-state.js";
import type { LiveCursor } from "./state/topic-index.js";
import type {
  AppendOptions,
  BatchOperation,
  Cursor,
  CursorOptions,
  Entry,
  IndexRange,
  ReadOptions,
  TailOptions,
  Walrus,
  WalrusStatus,
} from "./types.js";
import type { ActiveSegment } from "./write/active-segment.js";
import { checkIndex } from "./write/batch-plan.js";
import { CommitQueue } from "./write/commit-queue.js";
import { FlushPolicy } from "./write/flush-policy.js";
import { Intake } from "./write/intake.js";
import { LogWriter } from "./write/log-writer.js";
import { type SegmentWriter, writeWholeFile } from "./write/segment-writer.js";

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
  readonly #changes = new Changes();
  readonly #policy: FlushPolicy;
  readonly #files: SegmentFiles;
  readonly #intake: Intake;
  readonly #writer: LogWriter;
  readonly #reader: LogReader;
  readonly #reclaimer: Reclaimer;
  readonly #cursors: CursorBook;
  #closing: Promise<void> | null = null;
  #closed = false;

  constructor(parts: WalrusParts) {
    const { config, fileSystem, hasher, scheduler, state, segments } = parts;
    const seed = (number: number): bigint => segments.seed(number);
    const kick = (): void => this.#writer.kick();
    this.#parts = parts;
    this.#files = new SegmentFiles(fileSystem, config.directory);
    const index = new IndexCache(this.#files, hasher, seed, config.indexCacheBytes);
    this.#policy = new FlushPolicy(config, scheduler, () => this.#flushLater());
    this.#intake = new Intake(state, this.#queue, config);
    this.#reader = new LogReader(state, this.#files, index, hasher, seed);
    const { directory, segmentBytes, blocking } = config;
    const onSettled = (): void => this.#settled();
    const onSealed = index.hold.bind(index);
    this.#writer = new LogWriter(
      { ...parts, directory, segmentBytes, overlaps: !blocking, queue: this.#queue, policy: this.#policy, onSealed, onSettled },
      parts.active,
    );
    this.#cursors = new CursorBook({ ...parts, intake: this.#intake, reader: this.#reader, checkOpen: () => this.#checkOpen(), kick });
    this.#reclaimer = new Reclaimer({
      ...parts,
      files: this.#files,
      intake: this.#intake,
      rewriter: new Rewriter(state, this.#reader, this.#intake, kick, () => this.#closing !== null || this.#writer.failure !== null),
      kick,
      isPoisoned: () => this.#writer.failure !== null,
      isClosing: () => this.#closing !== null,
      isSynced: () => this.#writer.active.unsyncedBytes === 0,
      poison: (error) => this.#writer.poison(error),
    });
    this.#reclaimer.consider();
  }

  append(topic: string, payload: Uint8Array, options?: AppendOptions): Promise<number> {
    try {
      this.#checkOpen();
      const appended = this.#intake.append(topic, payload, options?.flush ?? this.#policy.flushesEveryCall);
      this.#writer.kick();
      return appended;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  appendBatch(operations: readonly BatchOperation[], options?: AppendOptions): Promise<readonly IndexRange[]> {
    try {
      this.#checkOpen();
      const appended = this.#intake.batch(operations, options?.flush ?? this.#policy.flushesEveryCall);
      this.#writer.kick();
      return appended;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  async truncateBack(topic: string, index: number, options?: AppendOptions): Promise<void> {
    await this.appendBatch([{ topic, truncateBack: index }], options);
  }

  async truncateFront(topic: string, index: number, options?: AppendOptions): Promise<void> {
    await this.appendBatch([{ topic, truncateFront: index }], options);
  }

  async get(topic: string, index: number): Promise<Entry | null> {
    this.#checkOpen();
    checkIndex(index);
    const known = this.#parts.state.topic(topic);
    if (known === undefined || index < known.first) return null;
    const [entry] = await this.#reader.read(topic, index, { maxEntries: 1 });
    return entry ?? null;
  }

  async read(topic: string, from: number, options: ReadOptions = {}): Promise<Entry[]> {
    this.#checkOpen();
    checkIndex(from);
    return this.#reader.read(topic, from, options);
  }

  async readReverse(topic: string, from: number, options: ReadOptions = {}): Promise<Entry[]> {
    this.#checkOpen();
    checkIndex(from);
    return this.#reader.readReverse(topic, from, options);
  }

  async *entries(topic: string, from: number, options: ReadOptions = {}): AsyncIterableIterator<Entry> {
    let next = from;
    for (let batch = await this.read(topic, next, options); batch.length > 0; batch = await this.read(topic, next, options)) {
      yield* batch;
      next += batch.length;
    }
  }

  tail(topic: string, from: number, options: TailOptions = {}): AsyncIterableIterator<Entry> {
    this.#checkOpen();
    checkIndex(from);
    const { state } = this.#parts;
    const followed = {
      read: (next: number, limits: TailOptions) => this.read(topic, next, limits),
      changed: (signal: AbortSignal) => this.#changes.next(signal),
      isClosed: () => this.#closing !== null,
      cuts: () => state.topic(topic)?.cuts ?? 0,
      watch: (place: LiveCursor) => void state.topic(topic)?.liveCursors.add(place),
      unwatch: (place: LiveCursor) => void state.topic(topic)?.liveCursors.delete(place),
    };
    return new Follower(followed, from, options);
  }

  bounds(topic: string): IndexRange {
    const bounds = this.#intake.bounds(topic);
    return bounds === undefined ? { first: 1, next: 1 } : { first: bounds.first, next: bounds.next };
  }

  count(topic: string): number {
    const { first, next } = this.bounds(topic);
    return next - first;
  }

  topics(): string[] {
    return this.#intake.names();
  }

  cursor(topic: string, name: string, options: CursorOptions = {}): Cursor {
    this.#checkOpen();
    return this.#cursors.open(topic, name, options);
  }

  cursors(topic: string): ReadonlyMap<string, number> {
    return new Map(this.#parts.state.topic(topic)?.cursors);
  }

  async dropCursor(topic: string, name: string): Promise<void> {
    this.#checkOpen();
    await this.#cursors.drop(topic, name);
  }

  async flush(): Promise<void> {
    this.#checkOpen();
    const barrier = this.#intake.barrier(true);
    this.#writer.kick();
    await barrier;
  }

  status(): WalrusStatus {
    const { config, logId, recovery, state } = this.#parts;
    const { segments } = state;
    return {
      state: this.#state(),
      directory: config.directory,
      logId: toHex(logId),
      topics: this.#intake.names().length,
      segments: segments.count,
      firstSegment: segments.first,
      lastSegment: segments.last,
      bytes: segments.bytes,
      liveBytes: segments.liveBytes,
      queuedBytes: this.#queue.queuedBytes,
      unflushedBytes: this.#writer.active.unsyncedBytes,
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

  #settled(): void {
    this.#changes.notify();
    this.#reclaimer.consider();
  }

  /** The interval is over. Whoever calls next hears of a failure. */
  #flushLater(): void {
    this.#intake.barrier(true).catch(() => undefined);
    this.#writer.kick();
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
    try {
      await this.#settle();
      this.#changes.notify();
      await this.#files.close();
      if (this.#writer.failure === null) await this.#writer.active.trim();
      await this.#writer.active.close();
      if (this.#writer.failure === null) await this.#writeMark();
    } catch (error) {
      throw ioFailed("close the log in", directory, error);
    } finally {
      this.#policy.stop();
      await this.#parts.lock.release();
      this.#closed = true;
    }
  }

  /** Everything that was taken is on stable storage, or its callers have heard why not. */
  async #settle(): Promise<void> {
    const checkpoints = this.#cursors.checkpointAll();
    const barrier = this.#intake.barrier(true).catch(() => undefined);
    this.#writer.kick();
    await checkpoints;
    await barrier;
    await this.#reclaimer.settled();
    // What the last step of reclaiming had in hand.
    const last = this.#intake.barrier(true).catch(() => undefined);
    this.#writer.kick();
    await last;
  }

  async #writeMark(): Promise<void> {
    const { config, fileSystem, hasher, logId } = this.#parts;
    const { number, end, previous } = this.#writer.active;
    const mark = encodeCleanMark({ logId, segment: number, end, last: previous }, hasher);
    await writeWholeFile(fileSystem, config.directory, `${config.directory}/${MARK_NAME}`, [mark]);
  }
}
