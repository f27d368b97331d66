import type { Logger } from "@octopii/interfaces";
import type { SnapshotMetadata } from "../types.js";
import { snapshotFailed, timeoutError } from "./refusals.js";
import type { Snapshots } from "./snapshots.js";
import type { Waiter } from "./waiter.js";

/** Wishes for a snapshot: those of callers, and the policy's. */
export class SnapshotCalls {
  readonly #snapshots: Snapshots | null;
  readonly #logger: Logger | undefined;
  /** Who waits for the next moment at which one can be begun. */
  #waiting: Waiter<SnapshotMetadata>[] = [];
  /** Whose snapshot is being taken. */
  #begun: Waiter<SnapshotMetadata>[] = [];
  #isDue = false;

  constructor(snapshots: Snapshots | null, logger: Logger | undefined) {
    this.#snapshots = snapshots;
    this.#logger = logger;
  }

  get count(): number {
    return this.#waiting.length + this.#begun.length;
  }

  add(waiter: Waiter<SnapshotMetadata>): void {
    if (this.#snapshots === null) waiter.reject(snapshotFailed("this node has no place to keep snapshots"));
    else this.#waiting.push(waiter);
  }

  /** The policy wants one. */
  due(): void {
    this.#isDue = true;
  }

  /**
   * Begins one if anybody wants it. Between two batches, where the state machine is at the index that the core knows.
   * @param describe - what it would be called; null if there is nothing to take now.
   */
  beginIfWanted(describe: () => SnapshotMetadata | null): void {
    if (this.#snapshots === null || (this.#waiting.length === 0 && !this.#isDue)) return;
    const metadata = describe();
    if (metadata === null) return this.#nothingToTake();
    const waiters = this.#waiting;
    this.#waiting = [];
    this.#begun.push(...waiters);
    this.#isDue = false;
    this.#snapshots.take(metadata).then(
      (taken) => {
        for (const waiter of waiters) waiter.resolve(taken);
      },
      (error: unknown) => {
        // The log goes on growing until the next one succeeds; nothing is lost.
        this.#logger?.error({ error }, "A snapshot could not be taken.");
        for (const waiter of waiters) waiter.reject(error);
      },
    );
  }

  #nothingToTake(): void {
    // The policy's can wait until there is.
    if (this.#isDue) return;
    const error = snapshotFailed("nothing was applied yet, or the leader's snapshot is being restored");
    for (const waiter of this.#waiting) waiter.reject(error);
    this.#waiting = [];
  }

  /** Rejects what is past its deadline, and forgets what has settled. */
  expire(now: number): void {
    this.#waiting = this.#waiting.filter((waiter) => !waiter.expire(now, () => timeoutError("snapshotBegin")));
    this.#begun = this.#begun.filter((waiter) => !waiter.expire(now, () => timeoutError("snapshot")));
  }

  rejectAll(error: (outcome: "failed" | "unknown") => unknown): void {
    for (const waiter of this.#waiting) waiter.reject(error("failed"));
    for (const waiter of this.#begun) waiter.reject(error("unknown"));
  }
}
