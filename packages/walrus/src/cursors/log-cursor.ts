import type { LiveCursor } from "../state/topic-index.js";
import type { Cursor, Entry, ReadOptions } from "../types.js";

/** What a cursor needs of its log. */
export interface CursorHost {
  /** Entries from the cursor's position on, as `Walrus.read` gives them, and how often the topic's end had been cut when they were read. */
  readonly read: (cursor: LogCursor, options: ReadOptions) => Promise<{ readonly entries: Entry[]; readonly cuts: number }>;
  /** Whether no call has cut the topic's end since. */
  readonly isUncut: (topic: string, cuts: number) => boolean;
  /** Puts a place on stable storage. */
  readonly store: (topic: string, name: string, position: number) => Promise<void>;
  /** The nearest index within the bounds of what was acknowledged. */
  readonly clamp: (topic: string, position: number) => number;
}

/** A cursor of an open log. */
export class LogCursor implements Cursor, LiveCursor {
  readonly topic: string;
  readonly name: string;
  /** Changed from outside, too, when the topic is truncated. */
  position: number;
  readonly #host: CursorHost;
  /** How many entries may be consumed before the place is stored; 0 if it is stored before they are given. */
  readonly #persistEvery: number;
  #unstored = 0;
  #last: Promise<unknown> = Promise.resolve();

  constructor(host: CursorHost, topic: string, name: string, position: number, persistEvery: number) {
    this.#host = host;
    this.topic = topic;
    this.name = name;
    this.position = position;
    this.#persistEvery = persistEvery;
  }

  /** Whether entries were consumed since the place was stored. */
  get isAhead(): boolean {
    return this.#unstored > 0;
  }

  peek(options: ReadOptions = {}): Promise<Entry[]> {
    return this.#inTurn(() => this.#read(options));
  }

  consume(options: ReadOptions = {}): Promise<Entry[]> {
    return this.#inTurn(async () => {
      const entries = await this.#read(options);
      const last = entries.at(-1);
      if (last !== undefined) await this.#pass(last.index + 1, entries.length);
      return entries;
    });
  }

  checkpoint(): Promise<void> {
    return this.#inTurn(() => this.#store());
  }

  async seek(index: number): Promise<void> {
    if (!Number.isSafeInteger(index)) throw new RangeError(`A cursor's place must be a whole number, not ${String(index)}.`);
    return this.#inTurn(() => {
      this.position = this.#host.clamp(this.topic, index);
      return this.#store();
    });
  }

  /** What is there now: entries that were replaced while they were read are not given in the place of those that replaced them. */
  async #read(options: ReadOptions): Promise<Entry[]> {
    for (;;) {
      const { entries, cuts } = await this.#host.read(this, options);
      if (this.#host.isUncut(this.topic, cuts)) return entries;
    }
  }

  /** Moves the place at once, so that a truncation that is taken from here on moves it again; and back, if it cannot be stored. */
  async #pass(next: number, count: number): Promise<void> {
    const before = this.position;
    this.position = this.#host.clamp(this.topic, next);
    this.#unstored += count;
    if (this.#unstored < this.#persistEvery) return;
    try {
      await this.#host.store(this.topic, this.name, next);
      this.#unstored = 0;
    } catch (error) {
      this.#unstored -= count;
      this.position = Math.min(this.position, before);
      throw error;
    }
  }

  async #store(): Promise<void> {
    await this.#host.store(this.topic, this.name, this.position);
    this.#unstored = 0;
  }

  #inTurn<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
