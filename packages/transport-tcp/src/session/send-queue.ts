/** The bytes of one stream that have not been put into a frame yet, in order. */
export class SendQueue {
  #chunks: Uint8Array[] = [];
  /** The first chunk that still has bytes, and how many of its bytes are gone. */
  #head = 0;
  #headOffset = 0;
  #bytes = 0;

  /** How many bytes wait. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Adds bytes, which belong to the queue from now on. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
  }

  /** Moves the first `length` bytes into `out` at `at`; there are that many. */
  moveInto(out: Uint8Array, at: number, length: number): void {
    let moved = 0;
    while (moved < length) {
      const chunk = this.#chunks[this.#head];
      if (chunk === undefined) break;
      const part = Math.min(chunk.length - this.#headOffset, length - moved);
      const isWhole = part === chunk.length;
      out.set(isWhole ? chunk : chunk.subarray(this.#headOffset, this.#headOffset + part), at + moved);
      moved += part;
      this.#headOffset += part;
      if (this.#headOffset < chunk.length) break;
      this.#head += 1;
      this.#headOffset = 0;
    }
    this.#bytes -= moved;
    this.#compact();
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#headOffset = 0;
    this.#bytes = 0;
  }

  #compact(): void {
    if (this.#head === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#head = 0;
    } else if (this.#head >= 64 && this.#head * 2 >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }
}
