import type { LinearizedSet } from "./linearized-set.js";
import type { Model } from "./model.js";

const INITIAL_CAPACITY = 1024;
const EMPTY = -1;
/** Bytes of one configuration beside its words: two hashes, chain link, two bucket slots, and the state's reference. */
const OVERHEAD_BYTES = 28;

/**
 * The configurations (what has been linearized, and the state that it led to) which a search has already entered (Lowe 2017).
 *
 * A configuration is *covered* by an earlier one with the same required operations, an equal state, and a subset of its optional
 * operations: whatever can follow the later can follow the earlier too, since an optional operation need not be used. So the
 * cost of unknown outcomes is that of the useful sets of them, not of all sets.
 */
export class ConfigurationCache<State> {
  readonly #equal: (a: State, b: State) => boolean;
  readonly #hash: ((state: State) => number) | undefined;
  readonly #stride: number;
  readonly #maxEntries: number;
  readonly #states: State[] = [];
  #capacity: number = INITIAL_CAPACITY;
  #buckets: Int32Array = new Int32Array(2 * INITIAL_CAPACITY).fill(EMPTY);
  #chain: Int32Array = new Int32Array(INITIAL_CAPACITY);
  #low: Uint32Array = new Uint32Array(INITIAL_CAPACITY);
  #high: Uint32Array = new Uint32Array(INITIAL_CAPACITY);
  #words: Uint32Array;

  /** @param maxBytes - when that much is held, further configurations are not remembered: slower, but no less right. */
  constructor(model: Pick<Model<State, never, never>, "equal" | "hash">, set: LinearizedSet, maxBytes: number) {
    this.#equal = model.equal?.bind(model) ?? Object.is;
    this.#hash = model.hash?.bind(model);
    this.#stride = set.words.length;
    this.#maxEntries = Math.floor(maxBytes / (4 * this.#stride + OVERHEAD_BYTES));
    this.#words = new Uint32Array(INITIAL_CAPACITY * this.#stride);
  }

  /** How many configurations are remembered. */
  get size(): number {
    return this.#states.length;
  }

  /** Remembers a configuration. @returns `false` if an earlier one covers it. */
  add(set: LinearizedSet, state: State): boolean {
    const low = this.#hash === undefined ? set.hashLow : (set.hashLow ^ Math.imul(this.#hash(state), 0x9e3779b1)) >>> 0;
    const high = set.hashHigh;
    const mask = this.#buckets.length - 1;
    for (let entry = this.#buckets[low & mask] as number; entry !== EMPTY; entry = this.#chain[entry] as number) {
      if (this.#low[entry] === low && this.#high[entry] === high && this.#covers(entry, set, state)) return false;
    }
    if (this.size < this.#maxEntries) this.#insert(low, high, set, state);
    return true;
  }

  #covers(entry: number, set: LinearizedSet, state: State): boolean {
    const base = entry * this.#stride;
    for (let word = 0; word < set.requiredWords; word += 1) {
      if (this.#words[base + word] !== set.words[word]) return false;
    }
    for (let word = set.requiredWords; word < this.#stride; word += 1) {
      if (((this.#words[base + word] as number) & ~(set.words[word] as number)) !== 0) return false;
    }
    return this.#equal(this.#states[entry] as State, state);
  }

  #insert(low: number, high: number, set: LinearizedSet, state: State): void {
    if (this.size === this.#capacity) this.#grow();
    const entry = this.size;
    this.#states.push(state);
    this.#low[entry] = low;
    this.#high[entry] = high;
    this.#words.set(set.words, entry * this.#stride);
    this.#enter(entry, low);
  }

  #enter(entry: number, low: number): void {
    const bucket = low & (this.#buckets.length - 1);
    this.#chain[entry] = this.#buckets[bucket] as number;
    this.#buckets[bucket] = entry;
  }

  #grow(): void {
    this.#capacity = Math.min(2 * this.#capacity, Math.max(this.#maxEntries, INITIAL_CAPACITY));
    const chain = new Int32Array(this.#capacity);
    const low = new Uint32Array(this.#capacity);
    const high = new Uint32Array(this.#capacity);
    const words = new Uint32Array(this.#capacity * this.#stride);
    low.set(this.#low);
    high.set(this.#high);
    words.set(this.#words);
    this.#chain = chain;
    this.#low = low;
    this.#high = high;
    this.#words = words;
    this.#buckets = new Int32Array(2 * this.#buckets.length).fill(EMPTY);
    for (let entry = 0; entry < this.size; entry += 1) this.#enter(entry, low[entry] as number);
  }
}
