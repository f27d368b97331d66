import type { FileSystem, Logger, Scheduler } from "@octopii/interfaces";
import type { CommitQueue } from "./commit-queue.js";
import { ioFailed, WalrusError } from "./errors.js";
import { FrameKind } from "./format.js";
import type { FinishedFrame } from "./frame-builder.js";
import { FrameRecords } from "./frame-records.js";
import type { Group } from "./group.js";
import type { Hasher } from "./hasher.js";
import type { LogState } from "./log-state.js";
import type { SegmentFiles } from "./segment-files.js";
import { type ActiveSegment, nextPlace, type SegmentWriter } from "./segment-writer.js";

/** What the writer works with. */
export interface LogWriterParts {
  readonly fileSystem: FileSystem;
  readonly scheduler: Scheduler;
  readonly logger: Logger | null;
  readonly directory: string;
  readonly segmentBytes: number;
  readonly hasher: Hasher;
  readonly state: LogState;
  readonly queue: CommitQueue;
  readonly segments: SegmentWriter;
  readonly files: SegmentFiles;
}

/** Carries groups from the queue to the disk, one flush at a time, and removes segments in which nothing is live. */
export class LogWriter {
  readonly #parts: LogWriterParts;
  readonly #records = new FrameRecords();
  #active: ActiveSegment;
  #scheduled = false;
  #writing = false;
  /** A segment could not be removed; it is tried again once the next one is full. */
  #removalFailed = false;
  #reclaiming: Promise<void> | null = null;
  #failure: WalrusError | null = null;
  #flushes = 0;
  #recordsWritten = 0;

  constructor(parts: LogWriterParts, active: ActiveSegment) {
    this.#parts = parts;
    this.#active = active;
  }

  get active(): Readonly<ActiveSegment> {
    return this.#active;
  }

  /** Why the log is poisoned; null while it is not. */
  get failure(): WalrusError | null {
    return this.#failure;
  }

  get flushes(): number {
    return this.#flushes;
  }

  get recordsWritten(): number {
    return this.#recordsWritten;
  }

  /** Something was put into the queue. It is written once everything of this turn has been gathered. */
  kick(): void {
    if (this.#scheduled || this.#writing) return;
    this.#scheduled = true;
    this.#parts.scheduler.nextTurn(this.#onTurn);
  }

  readonly #onTurn = (): void => {
    this.#scheduled = false;
    const group = this.#parts.queue.take();
    if (group !== undefined) void this.#write(group);
  };

  /** Writes one group and settles its callers; never rejects. */
  async #write(group: Group): Promise<void> {
    const { queue } = this.#parts;
    const count = group.frame.count;
    this.#writing = true;
    const error = count === 0 ? this.#failure : await this.#commit(group);
    this.#writing = false;
    if (error !== null) {
      this.#poison(error);
      group.reject(error);
      queue.done(group);
      this.#rejectQueued();
      return;
    }
    if (count > 0) this.#flushes++;
    this.#recordsWritten += count;
    group.resolve();
    queue.done(group);
    this.reclaim();
    if (!queue.isEmpty) this.kick();
  }

  /** Makes the group's frame durable; gives the error if that fails. */
  async #commit(group: Group): Promise<WalrusError | null> {
    const { hasher, segmentBytes, state } = this.#parts;
    try {
      if (this.#active.used && this.#active.end + group.frame.byteLength > segmentBytes) await this.#roll();
    } catch (error) {
      return ioFailed("begin a new segment in", this.#parts.directory, error, "failed");
    }
    const active = this.#active;
    let frame: FinishedFrame;
    try {
      frame = group.frame.finish(FrameKind.commit, nextPlace(active), hasher, this.#records);
    } catch (error) {
      return ioFailed("make a frame for", active.path, error, "failed");
    }
    try {
      await active.file.write(frame.buffers, active.end);
    } catch (error) {
      return ioFailed("write to", active.path, error, "unknown");
    }
    active.end += frame.byteLength;
    active.previous = frame.checksum;
    active.used = true;
    state.segments.lengthen(frame.byteLength);
    const misfit = state.applyCommit(this.#records, active.number);
    return misfit === null ? null : brokenInvariant(active.path, misfit.problem);
  }

  async #roll(): Promise<void> {
    const { segments, state, logger } = this.#parts;
    const full = this.#active;
    const seal = await segments.seal(full, state);
    this.#active = await segments.create(full.number + 1, seal, state);
    this.#removalFailed = false;
    logger?.debug({ segment: this.#active.number, sealedBytes: full.end }, "walrus began a new segment");
  }

  /** A failed write or flush is final: nothing that was not acknowledged yet ever will be, and nothing more is taken. */
  #poison(error: WalrusError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    const { logger, directory } = this.#parts;
    logger?.error({ error, directory }, "walrus is poisoned: a write or flush failed");
  }

  /** Rejects all that was never written. */
  #rejectQueued(): void {
    const { queue, directory } = this.#parts;
    const error = ioFailed("write, after an earlier failure, to", directory, this.#failure?.cause ?? this.#failure, "failed");
    for (let group = queue.take(); group !== undefined; group = queue.take()) {
      group.reject(error);
      queue.done(group);
    }
  }

  /** Starts to remove the oldest segments, as far as nothing in them is live. */
  reclaim(): void {
    if (this.#reclaiming !== null || this.#removalFailed || this.#failure !== null || this.#parts.state.segments.removable() === null)
      return;
    this.#reclaiming = this.#removeSegments().finally(() => {
      this.#reclaiming = null;
    });
  }

  /**
   * Oldest first, and each removal is durable before the next: a crash must not leave a gap. What made a segment removable is durable
   * already, and the segments after it restate all that it said of topics.
   */
  async #removeSegments(): Promise<void> {
    const { fileSystem, files, state, logger, directory } = this.#parts;
    for (let number = state.segments.removable(); number !== null && this.#failure === null; number = state.segments.removable()) {
      await files.retire(number);
      try {
        await fileSystem.remove(files.path(number));
      } catch (error) {
        this.#removalFailed = true;
        logger?.warn({ error, file: files.path(number) }, "walrus could not remove a segment that nothing needs; it will try again");
        return;
      }
      state.segments.removeFirst();
      try {
        await fileSystem.syncDirectory(directory);
      } catch (error) {
        this.#poison(ioFailed("flush the directory", directory, error, "failed"));
        if (!this.#writing) this.#rejectQueued();
        return;
      }
      logger?.debug({ segment: number }, "walrus removed a segment");
    }
  }

  /** Resolves when nothing is being removed. */
  async settled(): Promise<void> {
    await this.#reclaiming;
  }
}

/** The state refused what the intake had let through. It is on disk already, so nobody can tell what it is worth. */
function brokenInvariant(file: string, problem: string): WalrusError {
  const message = `The log took what does not fit: ${problem}. This is a bug in @octopii/walrus; report it, and open the log again.`;
  return new WalrusError("OCTOPII_WALRUS_CORRUPT", message, { outcome: "unknown", details: { file, problem } });
}
