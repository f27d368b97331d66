import { openXxhash, type RunningXxhash, STATE_BYTES, type Xxhash } from "../adapters/xxhash.js";
import { viewOf } from "./bytes.js";

/** Input goes through the memory in slices of this size: they stay in the processor's cache between copying and hashing. */
const SLICE_BYTES = 256 * 1024;
const SLICE_AT = Math.ceil(STATE_BYTES / 64) * 64;
/** Where the bench begins in the memory. */
export const BENCH_AT: number = SLICE_AT + SLICE_BYTES;
/** How many bytes of records can be on the bench at a time. */
export const BENCH_BYTES: number = 256 * 1024;
/** The memory that a hasher works on. */
export const HASHER_BYTES: number = BENCH_AT + BENCH_BYTES;

/**
 * xxHash64 with a seed. It works on a memory of its own, of fixed size: the state of a running hash, a slice of input, and the bench, where
 * records that stand in a row are copied together and hashed one by one.
 */
export class Hasher {
  readonly #xxhash: Xxhash;
  readonly #bench: Uint8Array;
  /** All of the memory; the bench begins at `BENCH_AT`. */
  readonly view: DataView;
  /** The hash of a part of the memory: of its 64 bits as a signed or an unsigned number. */
  readonly hashAt: Xxhash["hash"];
  #fillings = 0;

  constructor(xxhash: Xxhash) {
    this.#xxhash = xxhash;
    this.hashAt = xxhash.hash;
    this.view = viewOf(xxhash.memory);
    this.#bench = xxhash.memory.subarray(BENCH_AT, BENCH_AT + BENCH_BYTES);
  }

  /** How often the bench was filled: who finds it changed must fill it anew. */
  get fillings(): number {
    return this.#fillings;
  }

  /** The hash of `bytes`. */
  hash(bytes: Uint8Array, seed: bigint): bigint {
    if (bytes.length > SLICE_BYTES) return this.start(seed).update(bytes).digest();
    this.#xxhash.memory.set(bytes, SLICE_AT);
    return BigInt.asUintN(64, this.hashAt(SLICE_AT, bytes.length, seed));
  }

  /** A hash over bytes that come in several pieces. */
  start(seed: bigint): HashStream {
    return new HashStream(this.#xxhash, seed);
  }

  /** Copies bytes, `BENCH_BYTES` at most, onto the bench. Gives the number of this filling. */
  fill(bytes: Uint8Array): number {
    this.#bench.set(bytes);
    return ++this.#fillings;
  }
}

/** A hash over bytes that come in several pieces; equal to the hash of the pieces in one. Others may hash between two pieces. */
export class HashStream {
  readonly #memory: Uint8Array;
  readonly #running: RunningXxhash;

  constructor({ memory, start }: Xxhash, seed: bigint) {
    this.#memory = memory;
    this.#running = start(seed);
  }

  update(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) {
      const slice = bytes.subarray(at, at + SLICE_BYTES);
      this.#memory.set(slice, SLICE_AT);
      this.#running.update(SLICE_AT, slice.length);
    }
    return this;
  }

  digest(): bigint {
    return BigInt.asUintN(64, this.#running.digest());
  }
}

let shared: Promise<Hasher> | null = null;

/** The hash function; compiled once per process, which takes about two milliseconds. Between two calls it keeps nothing that matters. */
export function openHasher(): Promise<Hasher> {
  shared ??= openXxhash(HASHER_BYTES).then((xxhash) => new Hasher(xxhash));
  return shared;
}
