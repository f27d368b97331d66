import type { LiveCursor } from "../state/topic-index.js";
import type { Cursor, Entry, ReadOptions } from "../types.js";

/** What a cursor needs of its log. */
export interface CursorHost {
  /** Entries from the cursor's position on, as `Walrus.read` gives them. */
  readonly read: (cursor: LogCursor, options: ReadOptions) => Promise<Entry[]>;
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
    return this.#inTurn(() => this.#host.read(this, options));
  }

  consume(options: ReadOptions = {}): Promise<Entry[]> {
    return this.#inTurn(async () => {
      const entries = await this.#host.read(this, options);
      const last = entries.at(-1);
      if (last === undefined) return entries;
      const next = last.index + 1;
      if (this.#persistEvery === 0) {
        await this.#host.store(this.topic, this.name, next);
        this.position = this.#host.clamp(this.topic, next);
        return entries;
      }
      this.position = this.#host.clamp(this.topic, next);
      this.#unstored += entries.length;
      if (this.#unstored >= this.#persistEvery) await this.#store();
      return entries;
    });
  }

  checkpoint(): Promise<void> {
    return this.#inTurn(() => this.#store());
  }

  seek(index: number): Promise<void> {
    return this.#inTurn(() => {
      this.position = this.#host.clamp(this.topic, index);
      return this.#store();
    });
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
