import type { Index } from "../types.js";

/** What a new ring holds; it doubles while it has to, up to the limit. */
const initialSize = 16;

/** Append messages that a follower has not acknowledged: a ring of their last indexes, bounded by count and bytes. */
export class Inflights {
  readonly #countMax: number;
  readonly #bytesMax: number;
  #lastIndexes: Index[];
  #sizes: number[];
  #start = 0;
  #count = 0;
  #bytes = 0;

  /** @param countMax - at least 1. @param bytesMax - a message over it is still sent when nothing else is in flight. */
  constructor(countMax: number, bytesMax: number) {
    this.#countMax = countMax;
    this.#bytesMax = bytesMax;
    const size = Math.min(countMax, initialSize);
    this.#lastIndexes = new Array<Index>(size).fill(0);
    this.#sizes = new Array<number>(size).fill(0);
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count >= this.#countMax || this.#bytes >= this.#bytesMax;
  }

  /** Notes a message that ends with `lastIndex` and carries `bytes` of data. */
  add(lastIndex: Index, bytes: number): void {
    if (this.#count === this.#lastIndexes.length) this.#grow();
    const slot = (this.#start + this.#count) % this.#lastIndexes.length;
    this.#lastIndexes[slot] = lastIndex;
    this.#sizes[slot] = bytes;
    this.#count++;
    this.#bytes += bytes;
  }

  /** Everything up to `index` was acknowledged. */
  freeThrough(index: Index): void {
    while (this.#count > 0 && (this.#lastIndexes[this.#start] as Index) <= index) {
      this.#bytes -= this.#sizes[this.#start] as number;
      this.#start = (this.#start + 1) % this.#lastIndexes.length;
      this.#count--;
    }
  }

  reset(): void {
    this.#start = 0;
    this.#count = 0;
    this.#bytes = 0;
  }

  #grow(): void {
    const { length } = this.#lastIndexes;
    const unrolled = (ring: readonly number[]): number[] => {
      const next = new Array<number>(2 * length).fill(0);
      for (let at = 0; at < length; at++) next[at] = ring[(this.#start + at) % length] as number;
      return next;
    };
    this.#lastIndexes = unrolled(this.#lastIndexes);
    this.#sizes = unrolled(this.#sizes);
    this.#start = 0;
  }
}
