import type { LiveCursor } from "../state/topic-index.js";
import type { Entry, TailOptions } from "../types.js";

/** What following a topic needs of its log. */
export interface Followed {
  /** As `Walrus.read`. */
  readonly read: (from: number, options: TailOptions) => Promise<Entry[]>;
  /** Resolves when something was written, or the log closes or fails. */
  readonly changed: (signal: AbortSignal) => Promise<void>;
  readonly isClosed: () => boolean;
  /** How often the topic's end was cut. */
  readonly cuts: () => number;
  /** The topic, if there is one, moves the place at truncations from now on. */
  readonly watch: (place: LiveCursor) => void;
  readonly unwatch: (place: LiveCursor) => void;
}

/** Entries from one on, and then those that come, until the signal, `return`, or the end of the log. What replaces others is given in its turn. */
export class Follower implements AsyncIterableIterator<Entry>, LiveCursor {
  /** What comes next; moved down from outside when the topic's end is cut. */
  position: number;
  readonly #log: Followed;
  readonly #from: number;
  readonly #options: TailOptions;
  readonly #stop = new AbortController();
  /** The caller's signal, or `return`. */
  readonly #ended: AbortSignal;
  /** The same as `position`, except after a truncation that has not been looked at. */
  #next: number;
  #batch: readonly Entry[] = [];
  #given = 0;
  #cuts: number;
  #isOver = false;
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: Followed, from: number, options: TailOptions) {
    this.#log = log;
    this.#from = from;
    this.#options = options;
    this.#ended = options.signal === undefined ? this.#stop.signal : AbortSignal.any([options.signal, this.#stop.signal]);
    this.#next = from;
    this.position = from;
    this.#cuts = log.cuts();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Entry, undefined>> {
    const result = this.#last.then(() => this.#step());
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Ends also a `next` that waits. */
  return(): Promise<IteratorResult<Entry, undefined>> {
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  async #step(): Promise<IteratorResult<Entry, undefined>> {
    try {
      const entry = this.#isOver ? null : await this.#await();
      if (entry !== null && !this.#isOver) return { done: false, value: entry };
    } catch (error) {
      if (!this.#isOver) {
        this.#end();
        throw error;
      }
    }
    this.#end();
    return { done: true, value: undefined };
  }

  /** The next entry, as soon as there is one; null once there can be none. */
  async #await(): Promise<Entry | null> {
    for (;;) {
      this.#ended.throwIfAborted();
      this.#follow();
      const entry = this.#take();
      if (entry !== undefined) return entry;
      if (this.#log.isClosed()) return null;
      // Read before the end is cut, it is thrown away then.
      this.#batch = await this.#log.read(this.#next, this.#options);
      this.#given = 0;
      if (this.#batch.length > 0) continue;
      if (this.#log.isClosed()) return null;
      await this.#log.changed(this.#ended);
    }
  }

  #take(): Entry | undefined {
    const entry = this.#batch[this.#given];
    if (entry === undefined) return undefined;
    this.#given++;
    this.#next = entry.index + 1;
    this.position = this.#next;
    return entry;
  }

  /** Goes back to where the topic's end was cut, if it was: what was read ahead may have been replaced, and what was given, too. */
  #follow(): void {
    this.#log.watch(this);
    const cuts = this.#log.cuts();
    if (cuts === this.#cuts) return;
    this.#cuts = cuts;
    this.#batch = [];
    this.#given = 0;
    this.#next = Math.max(this.#from, Math.min(this.#next, this.position));
    this.position = this.#next;
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#batch = [];
    this.#log.unwatch(this);
    this.#stop.abort();
  }
}
