import type { Index } from "../types.js";

/** Append messages that a follower has not acknowledged: a ring of their last indexes, bounded by count and bytes. */
export class Inflights {
  readonly #lastIndexes: Index[];
  readonly #sizes: number[];
  readonly #bytesMax: number;
  #start = 0;
  #count = 0;
  #bytes = 0;

  /** @param countMax - at least 1. @param bytesMax - a message over it is still sent when nothing else is in flight. */
  constructor(countMax: number, bytesMax: number) {
    this.#lastIndexes = new Array<Index>(countMax).fill(0);
    this.#sizes = new Array<number>(countMax).fill(0);
    this.#bytesMax = bytesMax;
  }

  get count(): number {
    return this.#count;
  }

  get isFull(): boolean {
    return this.#count === this.#lastIndexes.length || this.#bytes >= this.#bytesMax;
  }

  /** Notes a message that ends with `lastIndex` and carries `bytes` of data. */
  add(lastIndex: Index, bytes: number): void {
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
}
