import { viewOf } from "./bytes.js";
import { BENCH_AT, BENCH_BYTES, type Hasher } from "./hasher.js";
import { CHECKSUM_AT, verifyRecord } from "./record-codec.js";

/**
 * The checksums of records that stand in one array: the array goes through the hasher's bench in long pieces, so that a record costs
 * neither a copy nor a view of its own. Leaves the array as it is.
 */
export class RecordHasher {
  readonly seed: bigint;
  readonly #hasher: Hasher;
  readonly #view: DataView;
  readonly #hash: Hasher["hashAt"];
  #bytes: Uint8Array = new Uint8Array(0);
  #limit = 0;
  /** What of the array is on the bench, and since which filling. */
  #start = 0;
  #end = 0;
  #filling = -1;

  constructor(hasher: Hasher, seed: bigint) {
    this.seed = seed;
    this.#hasher = hasher;
    this.#view = hasher.view;
    this.#hash = hasher.hashAt;
  }

  /** Turns to `bytes`, up to `limit`, as they are now. To be called again whenever they have changed. */
  begin(bytes: Uint8Array, limit: number): this {
    this.#bytes = bytes;
    this.#limit = limit;
    this.#filling = -1;
    return this;
  }

  /** The checksum that the record `[at, end)`, no longer than the bench, must have at `position` in its file; signed or unsigned. */
  checksum(at: number, end: number, position: number): bigint {
    const address = this.#place(at, end);
    // Offsets in a segment have 32 bits.
    this.#view.setUint32(address + CHECKSUM_AT, position, true);
    this.#view.setUint32(address + CHECKSUM_AT + 4, 0, true);
    return this.#hash(address, end - at, this.seed);
  }

  /** Whether the record `[at, end)` has the checksum of its bytes at `position` in its file. */
  verify(at: number, end: number, position: number): boolean {
    if (end - at > BENCH_BYTES) return verifyRecord(this.#bytes, viewOf(this.#bytes), at, position, this.seed, this.#hasher);
    const view = this.#view;
    const address = this.#place(at, end);
    const field = address + CHECKSUM_AT;
    const low = view.getInt32(field, true);
    const high = view.getInt32(field + 4, true);
    view.setUint32(field, position, true);
    view.setUint32(field + 4, 0, true);
    view.setBigInt64(field, this.#hash(address, end - at, this.seed), true);
    const isRight = view.getInt32(field, true) === low && view.getInt32(field + 4, true) === high;
    // On the bench stands now what should have been there.
    if (!isRight) this.#filling = -1;
    return isRight;
  }

  /** Where in the hasher's memory the record is. */
  #place(at: number, end: number): number {
    if (end > this.#end || at < this.#start || this.#filling !== this.#hasher.fillings) {
      this.#start = at;
      this.#end = Math.max(end, Math.min(this.#limit, at + BENCH_BYTES));
      this.#filling = this.#hasher.fill(this.#bytes.subarray(at, this.#end));
    }
    return BENCH_AT + at - this.#start;
  }
}
