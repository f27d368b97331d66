const twoTo32 = 2 ** 32;

/** Thrown, and caught, inside this folder: the bytes are not what they should be. */
export class MalformedBytes extends Error {}

/** Reads the fields that `ByteWriter` wrote; every length is checked before it is used. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #position = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get remaining(): number {
    return this.#bytes.length - this.#position;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4), true);
  }

  /** A safe integer; larger values are malformed. */
  u64(): number {
    const at = this.#take(8);
    const high = this.#view.getUint32(at + 4, true);
    if (high >= 2 ** 21) throw new MalformedBytes("a number exceeds 2^53 - 1");
    return high * twoTo32 + this.#view.getUint32(at, true);
  }

  /** A view of the next `length` bytes, not a copy. */
  bytes(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number {
    if (length > this.remaining) throw new MalformedBytes(`${length} bytes are announced, ${this.remaining} are left`);
    const at = this.#position;
    this.#position += length;
    return at;
  }
}
