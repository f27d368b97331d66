import type { Logger, Scheduler } from "@octopii/interfaces";
import { ioFailed, WalrusError } from "../errors.js";
import { FrameKind } from "../format/format.js";
import type { Hasher } from "../format/hasher.js";
import type { EntryTable } from "../state/entry-table.js";
import type { LogState } from "../state/log-state.js";
import type { ActiveSegment } from "./active-segment.js";
import type { CommitQueue } from "./commit-queue.js";
import type { FlushPolicy } from "./flush-policy.js";
import type { FinishedFrame } from "./frame-builder.js";
import type { Group } from "./group.js";
import type { SegmentWriter } from "./segment-writer.js";

const settled: Promise<void> = Promise.resolve();

/** What is at least this long has a write of its own, even where more could be waited for. */
const SPLIT_BYTES = 128 * 1024;
/** Checksums are made ahead for so much at a time: for less, each beginning would cost more than it saves. */
const SEAL_AHEAD_BYTES = 32 * 1024;

/** What the writer works with. */
export interface LogWriterParts {
  readonly scheduler: Scheduler;
  readonly logger: Logger | null;
  readonly directory: string;
  readonly segmentBytes: number;
  /** Whether the thread goes on while something is written. */
  readonly overlaps: boolean;
  readonly hasher: Hasher;
  readonly state: LogState;
  readonly queue: CommitQueue;
  readonly segments: SegmentWriter;
  readonly policy: FlushPolicy;
  /** Called with the tables of each segment that was sealed. */
  readonly onSealed: (tables: readonly EntryTable[]) => void;
  /** Called when a group is written and its callers are settled, and when the log is poisoned. */
  readonly onSettled: () => void;
}

/** Carries groups from the queue to the disk, one write at a time. */
export class LogWriter {
  readonly #parts: LogWriterParts;
  #active: ActiveSegment;
  #scheduled = false;
  #writing = false;
  /** The length of the frame that is being written. */
  #writingBytes = 0;
  /** What the last write was: its length, and how many calls waited for it. */
  #lastBytes = 0;
  #lastWaiting = 0;
  #failure: WalrusError | null = null;
  #flushes = 0;
  #recordsWritten = 0;

  constructor(parts: LogWriterParts, active: ActiveSegment) {
    this.#parts = parts;
    this.#active = active;
  }

  get active(): ActiveSegment {
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

  /**
   * Something was put into the queue. It is written once everything of this turn has been gathered; at once if it is a lot; and as soon as
   * everybody is back whom the last write set free, since more are then hardly to come.
   */
  kick(): void {
    const { next } = this.#parts.queue;
    if (next === undefined) return;
    if (this.#writing) this.#sealAhead(next);
    else if (this.#isWorthAFlush(next)) this.#start();
    else if (next.waiting === this.#lastWaiting) void settled.then(this.#onSoon);
    else if (!this.#scheduled) {
      this.#scheduled = true;
      this.#parts.scheduler.nextTurn(this.#onTurn);
    }
  }

  readonly #onTurn = (): void => {
    this.#scheduled = false;
    this.#start();
  };

  #start(): void {
    if (this.#writing) return;
    const group = this.#parts.queue.take();
    if (group !== undefined) void this.#write(group);
  }

  /** After what the caller of this turn still has to say. */
  readonly #onSoon = (): void => this.#start();

  /**
   * Whether it pays to write what has been gathered by itself, so that the disk and the makers of what comes next work side by side: it is
   * long enough for its own time on disk not to matter, and no small rest of what was written last.
   */
  #isWorthAFlush(group: Group): boolean {
    return group.frame.byteLength >= Math.max(SPLIT_BYTES, this.#lastBytes / 2);
  }

  /** Works on the checksums of the next frame while the disk is busy with the one before it. */
  #sealAhead({ frame }: Group): void {
    if (frame.unsealedBytes < SEAL_AHEAD_BYTES) return;
    const { hasher, segmentBytes } = this.#parts;
    const position = this.#active.end + this.#writingBytes;
    if (position + frame.byteLength > segmentBytes) return;
    try {
      frame.sealAhead(this.#active.seed, position, hasher);
    } catch {
      // A payload was changed. Whoever made it hears of that when its own frame is finished.
    }
  }

  /** Writes one group and settles its callers; never rejects. */
  async #write(group: Group): Promise<void> {
    const { queue, policy, overlaps, onSettled } = this.#parts;
    const count = group.frame.count;
    this.#writing = true;
    const error = this.#failure ?? (count === 0 ? await this.#sync(group) : await this.#commit(group));
    this.#writing = false;
    this.#writingBytes = 0;
    if (error !== null) {
      this.poison(error);
      group.reject(error);
      queue.done(group);
      this.#rejectQueued();
      return;
    }
    this.#recordsWritten += count;
    policy.wrote(this.#active.unsyncedBytes);
    this.#lastBytes = group.frame.byteLength;
    this.#lastWaiting = group.waiting;
    const { next } = queue;
    if (next !== undefined && overlaps && this.#isWorthAFlush(next)) this.#start();
    group.resolve();
    queue.done(group);
    onSettled();
    if (!queue.isEmpty) this.kick();
  }

  async #sync(group: Group): Promise<WalrusError | null> {
    if (!group.durable || this.#active.unsyncedBytes === 0) return null;
    try {
      await this.#active.sync();
    } catch (error) {
      return ioFailed("flush", this.#active.path, error, "unknown");
    }
    this.#flushes++;
    return null;
  }

  /** Writes the group's frame, and makes it durable if it is to be; gives the error if that fails. */
  async #commit(group: Group): Promise<WalrusError | null> {
    const { hasher, segmentBytes, state, policy } = this.#parts;
    try {
      if (this.#active.used && this.#active.end + group.frame.byteLength > segmentBytes) await this.#roll();
    } catch (error) {
      return ioFailed("begin a new segment in", this.#parts.directory, error, "failed");
    }
    const active = this.#active;
    let frame: FinishedFrame;
    try {
      frame = group.frame.finish(FrameKind.commit, active.place, hasher);
    } catch (error) {
      return lostPayload(active.path, error);
    }
    const durable = group.durable || policy.isDue(active.unsyncedBytes + frame.byteLength);
    this.#writingBytes = frame.byteLength;
    try {
      await active.write(frame.buffers, frame.byteLength, frame.checksum, durable);
    } catch (error) {
      return ioFailed("write to", active.path, error, "unknown");
    }
    if (durable) this.#flushes++;
    state.segments.lengthen(frame.byteLength);
    const misfit = state.applyCommit(group.frame.records, active.number);
    return misfit === null ? null : brokenInvariant(active.path, misfit.problem);
  }

  async #roll(): Promise<void> {
    const { segments, state, logger, onSealed } = this.#parts;
    const full = this.#active;
    const { checksum, tables } = await segments.seal(full, state);
    this.#active = await segments.create(full.number + 1, checksum, state);
    onSealed(tables);
    logger?.debug({ segment: this.#active.number, sealedBytes: full.end }, "walrus began a new segment");
  }

  /** A failed write or flush is final: nothing that was not acknowledged yet ever will be, and nothing more is taken. */
  poison(error: WalrusError): void {
    if (this.#failure !== null) return;
    this.#failure = error;
    const { logger, directory, policy, onSettled } = this.#parts;
    policy.stop();
    logger?.error({ error, directory }, "walrus is poisoned: a write or flush failed");
    if (!this.#writing) this.#rejectQueued();
    onSettled();
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
}

/** A long payload is written from where it lies. Whoever changed it took its entry away after others had got theirs behind it. */
function lostPayload(file: string, cause: unknown): WalrusError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `Nothing of this write is on disk: a payload was changed or transferred while it waited (${why}). Leave payloads alone until their call has settled; open the log again.`;
  return new WalrusError("OCTOPII_WALRUS_IO_FAILED", message, { outcome: "failed", cause, details: { path: file } });
}

/** The state refused what the intake had let through. It is on disk already, so nobody can tell what it is worth. */
function brokenInvariant(file: string, problem: string): WalrusError {
  const message = `The log took what does not fit: ${problem}. This is a bug in @octopii/walrus; report it, and open the log again.`;
  return new WalrusError("OCTOPII_WALRUS_CORRUPT", message, { outcome: "unknown", details: { file, problem } });
}
