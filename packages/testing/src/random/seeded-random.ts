import type { Random } from "@octopii/interfaces";
import { deriveKey, type RandomKey, type Seed, seedKey } from "./seeding.js";

const WORD = 2 ** 32;

/**
 * A repeatable source of random numbers. Numbers come from sfc32, chosen because it needs 32-bit integers only and passes PractRand;
 * forks come from the seed and the name alone, so what one part draws never shifts another.
 *
 * Source: sfc32 by Chris Doty-Humphrey (PractRand).
 */
export class SeededRandom implements Random {
  readonly #key: RandomKey;
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Use {@link createRandom}. */
  constructor(key: RandomKey) {
    this.#key = key;
    this.#a = key[0] ^ key[3];
    this.#b = key[1];
    this.#c = key[2];
    for (let round = 0; round < 12; round += 1) this.uint32();
  }

  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }

  bytes(length: number): Uint8Array {
    const bytes = new Uint8Array(length);
    let index = 0;
    for (; index + 4 <= length; index += 4) {
      const word = this.uint32();
      bytes[index] = word;
      bytes[index + 1] = word >>> 8;
      bytes[index + 2] = word >>> 16;
      bytes[index + 3] = word >>> 24;
    }
    for (let word = index < length ? this.uint32() : 0; index < length; index += 1, word >>>= 8) bytes[index] = word;
    return bytes;
  }

  fork(name: string): SeededRandom {
    return new SeededRandom(deriveKey(this.#key, name));
  }

  /** A uniform integer in `[0, bound)`, without modulo bias. @param bound - an integer from 1 to 2^32. */
  below(bound: number): number {
    if (!Number.isInteger(bound) || bound < 1 || bound > WORD)
      throw new RangeError(`bound must be an integer from 1 to 2^32, not ${bound}`);
    const limit = WORD - (WORD % bound);
    let word = this.uint32();
    while (word >= limit) word = this.uint32();
    return word % bound;
  }

  /** A uniform integer in `[low, high]`, both ends included. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1);
  }

  /** True in `numerator` of `denominator` cases. Integers, because the same ratio must mean the same on every machine. */
  chance(numerator: number, denominator: number): boolean {
    return this.below(denominator) < numerator;
  }

  /** One of `items`. @throws RangeError if there are none. */
  pick<T>(items: readonly T[]): T {
    if (items.length === 0) throw new RangeError("cannot pick from an empty list");
    return items[this.below(items.length)] as T;
  }

  /** Shuffles `items` in place and gives them back. Source: Fisher and Yates, in Durstenfeld's form. */
  shuffle<T>(items: T[]): T[] {
    for (let last = items.length - 1; last > 0; last -= 1) {
      const chosen = this.below(last + 1);
      const item = items[last] as T;
      items[last] = items[chosen] as T;
      items[chosen] = item;
    }
    return items;
  }

  /**
   * A number above 0 with mean `mean` whose tail halves like an exponential one, at most 22 times the mean. Built from a count of
   * leading zeros instead of a logarithm, so that it is the same to the last bit wherever it runs.
   */
  exponential(mean: number): number {
    const word = this.uint32() || 1;
    const halvings = Math.clz32(word);
    const fraction = halvings === 31 ? 0 : ((word << (halvings + 1)) >>> 0) / WORD;
    return (mean * (halvings + 1 - fraction)) / 1.5;
  }
}

/** The root of all random numbers that `seed` gives. */
export function createRandom(seed: Seed): SeededRandom {
  return new SeededRandom(seedKey(seed));
}
