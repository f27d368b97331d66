import xxhash from "xxhash-wasm";

/** xxhash-wasm copies its input into a memory that never shrinks; longer input goes through it in slices of this size. */
const SLICE_BYTES = 256 * 1024;

/** A running hash. */
interface RunningHash {
  update(bytes: Uint8Array): unknown;
  digest(): bigint;
}

/** xxHash64 with a seed. */
export class Hasher {
  readonly #oneShot: (bytes: Uint8Array, seed: bigint) => bigint;
  readonly #start: (seed: bigint) => RunningHash;

  constructor(oneShot: (bytes: Uint8Array, seed: bigint) => bigint, start: (seed: bigint) => RunningHash) {
    this.#oneShot = oneShot;
    this.#start = start;
  }

  /** The hash of `bytes`. */
  hash(bytes: Uint8Array, seed: bigint): bigint {
    if (bytes.length <= SLICE_BYTES) return this.#oneShot(bytes, seed);
    return this.start(seed).update(bytes).digest();
  }

  /** A hash over bytes that come in several pieces. */
  start(seed: bigint): HashStream {
    return new HashStream(this.#start(seed));
  }
}

/** A hash over bytes that come in several pieces; equal to the hash of the pieces in one. */
export class HashStream {
  readonly #running: RunningHash;

  constructor(running: RunningHash) {
    this.#running = running;
  }

  update(bytes: Uint8Array): this {
    for (let at = 0; at < bytes.length; at += SLICE_BYTES) this.#running.update(bytes.subarray(at, at + SLICE_BYTES));
    return this;
  }

  digest(): bigint {
    return this.#running.digest();
  }
}

let shared: Promise<Hasher> | null = null;

/** The hash function; compiled once per process, which takes about two milliseconds. Between two calls it keeps no state. */
export function openHasher(): Promise<Hasher> {
  shared ??= xxhash().then(({ h64Raw, create64 }) => new Hasher(h64Raw, create64));
  return shared;
}
