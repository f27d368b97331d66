const chunkBytes = 64 * 1024;
/** A read gets at least this much room, so that a burst comes out in few pieces. */
const roomBytesMin = 16 * 1024;
/** Below this a piece is copied, lest a few bytes that somebody keeps hold on to a whole chunk. */
const copyBelowBytes = 2 * 1024;

/** Memory that streams are read into: the pieces given out are views of shared chunks, and no byte is copied twice. */
export class ReceiveBuffer {
  #chunk: Uint8Array = new Uint8Array(chunkBytes);
  #used = 0;

  /** Room for the next read, at least 16 KiB. Its content is kept only by {@link take}. */
  room(): Uint8Array {
    if (chunkBytes - this.#used < roomBytesMin) {
      this.#chunk = new Uint8Array(chunkBytes);
      this.#used = 0;
    }
    return this.#used === 0 ? this.#chunk : this.#chunk.subarray(this.#used);
  }

  /** The first `length` bytes of the last {@link room}. The caller owns them. */
  take(length: number): Uint8Array {
    const start = this.#used;
    if (length < copyBelowBytes) return this.#chunk.slice(start, start + length);
    this.#used += length;
    return this.#chunk.subarray(start, this.#used);
  }
}
