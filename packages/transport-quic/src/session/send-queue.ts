const gatherBelowBytes = 4_096;

/**
 * The bytes of one stream that the engine has not taken yet, in order. Large pieces are handed on as they are, small ones that follow
 * each other are gathered, so that the engine is called once for many.
 */
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

  /** The next bytes, at most `scratch.length` of them: a view of the queue, or gathered in `scratch`. They stay queued. */
  peek(scratch: Uint8Array): Uint8Array {
    const first = this.#chunks[this.#head];
    if (first === undefined) return scratch.subarray(0, 0);
    const available = first.length - this.#headOffset;
    if (available >= gatherBelowBytes || this.#head + 1 === this.#chunks.length) {
      const length = Math.min(available, scratch.length);
      return length === first.length ? first : first.subarray(this.#headOffset, this.#headOffset + length);
    }
    return scratch.subarray(0, this.#gather(scratch));
  }

  #gather(scratch: Uint8Array): number {
    let filled = 0;
    let offset = this.#headOffset;
    for (let i = this.#head; i < this.#chunks.length && filled < scratch.length; i += 1) {
      const chunk = this.#chunks[i];
      if (chunk === undefined) break;
      const length = Math.min(chunk.length - offset, scratch.length - filled);
      scratch.set(offset === 0 && length === chunk.length ? chunk : chunk.subarray(offset, offset + length), filled);
      filled += length;
      offset = 0;
    }
    return filled;
  }

  /** Drops the first `count` bytes, at most as many as there are. */
  consume(count: number): void {
    this.#bytes -= count;
    let rest = count + this.#headOffset;
    while (this.#head < this.#chunks.length) {
      const chunk = this.#chunks[this.#head];
      if (chunk === undefined || rest < chunk.length) break;
      rest -= chunk.length;
      this.#head += 1;
    }
    this.#headOffset = rest;
    if (this.#head === this.#chunks.length) this.clear();
    else if (this.#head >= 64 && this.#head * 2 >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#chunks = [];
    this.#head = 0;
    this.#headOffset = 0;
    this.#bytes = 0;
  }
}
