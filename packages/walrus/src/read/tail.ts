import type { Entry, TailOptions } from "../types.js";

/** What following a topic needs of its log. */
export interface Followed {
  /** As `Walrus.read`. */
  readonly read: (from: number, options: TailOptions) => Promise<Entry[]>;
  /** Resolves when something was written, or the log closes or fails. */
  readonly changed: (signal: AbortSignal | undefined) => Promise<void>;
  readonly isClosed: () => boolean;
}

/** Entries from `from` on, and then those that come, until the signal or the end of the log. */
export async function* follow(log: Followed, from: number, options: TailOptions): AsyncIterableIterator<Entry> {
  const { signal } = options;
  let next = from;
  for (;;) {
    signal?.throwIfAborted();
    if (log.isClosed()) return;
    const batch = await log.read(next, options);
    signal?.throwIfAborted();
    for (const entry of batch) {
      next = entry.index + 1;
      yield entry;
    }
    if (batch.length > 0) continue;
    if (log.isClosed()) return;
    await log.changed(signal);
  }
}

/** Wakes those who wait for the log to change. */
export class Changes {
  #waiting = new Set<() => void>();

  /** Everybody who waits goes on. */
  notify(): void {
    if (this.#waiting.size === 0) return;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Resolves at the next {@link notify}; rejects with the signal's reason. */
  next(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const wake = (): void => {
        signal?.removeEventListener("abort", abort);
        resolve();
      };
      const abort = (): void => {
        this.#waiting.delete(wake);
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abort, { once: true });
      this.#waiting.add(wake);
    });
  }
}
