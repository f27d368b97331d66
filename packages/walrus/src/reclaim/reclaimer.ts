import type { FileSystem, Logger } from "@octopii/interfaces";
import { ioFailed, isWalrusError, type WalrusError } from "../errors.js";
import type { WalrusConfig } from "../options.js";
import type { SegmentFiles } from "../read/segment-files.js";
import type { LogState } from "../state/log-state.js";
import type { Intake } from "../write/intake.js";
import type { Rewriter } from "./rewriter.js";

/** What the reclaimer works with. */
export interface ReclaimerParts {
  readonly config: WalrusConfig;
  readonly fileSystem: FileSystem;
  readonly logger: Logger | null;
  readonly state: LogState;
  readonly files: SegmentFiles;
  readonly intake: Intake;
  readonly rewriter: Rewriter;
  /** Wakes the writer. */
  readonly kick: () => void;
  /** Whether the log failed: then nothing is changed any more. */
  readonly isPoisoned: () => boolean;
  /** Whether it is being closed: then what is dead still goes, and nothing else is begun. */
  readonly isClosing: () => boolean;
  /** Whether all that was written is on stable storage. */
  readonly isSynced: () => boolean;
  readonly poison: (error: WalrusError) => void;
}

/**
 * Gives disk back: removes the oldest segments while nothing in them is live, moves what little is live in the oldest to the end of the log
 * when it holds up too much, and drops the oldest entries where the budget says so. One step at a time, beside the appends.
 */
export class Reclaimer {
  readonly #parts: ReclaimerParts;
  #running: Promise<void> | null = null;
  /** The last segment there was when a step failed: it is tried again when there is another. */
  #failedAt = 0;

  constructor(parts: ReclaimerParts) {
    this.#parts = parts;
  }

  /** Starts to reclaim if there is something to gain. Cheap if there is not. */
  consider(): void {
    if (this.#running !== null || !this.#isDue()) return;
    this.#running = this.#run().finally(() => {
      this.#running = null;
    });
  }

  /** Resolves when nothing is being reclaimed. */
  async settled(): Promise<void> {
    await this.#running;
  }

  #isDue(): boolean {
    const { state, isPoisoned, isClosing } = this.#parts;
    if (isPoisoned() || state.segments.last === this.#failedAt) return false;
    return state.segments.removable() !== null || (!isClosing() && (this.#isOverBudget() || this.#isWasteful()));
  }

  #isOverBudget(): boolean {
    const { config, state } = this.#parts;
    return config.maxDiskBytes !== null && config.whenFull === "evict" && state.segments.bytes > config.maxDiskBytes && hasOlder(state);
  }

  /** Whether dead entries take more than their share, though the oldest segment still holds live ones. */
  #isWasteful(): boolean {
    const { config, state } = this.#parts;
    const { bytes, deadBytes: dead } = state.segments;
    if (!hasOlder(state)) return false;
    const isFull = config.maxDiskBytes !== null && bytes > config.maxDiskBytes / 2;
    return dead > (isFull ? 1 : 2) * config.segmentBytes && dead > bytes * config.rewriteAtDeadRatio;
  }

  async #run(): Promise<void> {
    try {
      while (this.#isDue()) {
        if (this.#parts.state.segments.removable() !== null) await this.#removeOldest();
        else if (this.#isOverBudget()) await this.#evictOldest();
        else if (!(await this.#rewriteOldest())) return;
      }
    } catch (error) {
      this.#failedAt = this.#parts.state.segments.last;
      const { logger, config } = this.#parts;
      if (!isWalrusError(error, "OCTOPII_WALRUS_CLOSED"))
        logger?.warn({ error, directory: config.directory }, "walrus could not give disk back; it will try again with the next segment");
    }
  }

  /**
   * Oldest first, and each removal is durable before the next: a crash must not leave a gap. What made a segment removable must be durable
   * before it goes; the segments after it restate all that it said of topics and cursors.
   */
  async #removeOldest(): Promise<void> {
    const { config, fileSystem, files, state, logger, poison, isSynced } = this.#parts;
    if (!isSynced()) await this.#flush();
    const number = state.segments.removable();
    if (number === null) return;
    await files.retire(number);
    await fileSystem.remove(files.path(number));
    state.segments.removeFirst();
    try {
      await fileSystem.syncDirectory(config.directory);
    } catch (error) {
      poison(ioFailed("flush the directory", config.directory, error, "failed"));
      return;
    }
    logger?.debug({ segment: number }, "walrus removed a segment");
  }

  async #flush(): Promise<void> {
    const flushed = this.#parts.intake.barrier(true);
    this.#parts.kick();
    await flushed;
  }

  async #evictOldest(): Promise<void> {
    const { state, intake, kick, logger } = this.#parts;
    const oldest = state.segments.first;
    const operations = [...state.topics()].flatMap((topic) => {
      const last = topic.runsIn(oldest).at(-1);
      const first = intake.bounds(topic.name)?.first ?? 0;
      return last === undefined || last.next <= first ? [] : [{ topic: topic.name, truncateFront: last.next }];
    });
    const evicted = intake.batch(operations, true);
    kick();
    await evicted;
    logger?.info({ segment: oldest, topics: operations.length }, "walrus dropped the oldest entries: the log is over maxDiskBytes");
  }

  /** Gives false if that has to wait. */
  async #rewriteOldest(): Promise<boolean> {
    const { state, rewriter, logger } = this.#parts;
    const oldest = state.segments.first;
    const moved = await rewriter.rewrite(oldest);
    if (moved > 0) logger?.debug({ segment: oldest, entries: moved }, "walrus moved live entries to the end of the log");
    return moved > 0 || state.segments.removable() !== null;
  }
}

function hasOlder(state: LogState): boolean {
  return state.segments.first < state.segments.last;
}
