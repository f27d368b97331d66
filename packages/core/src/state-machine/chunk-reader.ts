/** Reads fields of known lengths from a stream of chunks that are cut anywhere. */
export class ChunkReader {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(chunks: AsyncIterable<Uint8Array>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next `length` bytes, the caller's own. Null at the end of the stream. @throws Error if the stream ends within them. */
  async read(length: number): Promise<Uint8Array | null> {
    const bytes = new Uint8Array(length);
    let filled = 0;
    while (filled < length) {
      if (this.#rest.length === 0 && !(await this.#next())) {
        if (filled === 0) return null;
        throw new Error(`The snapshot ends after ${filled} of ${length} bytes.`);
      }
      const taken = this.#rest.subarray(0, length - filled);
      bytes.set(taken, filled);
      filled += taken.length;
      this.#rest = this.#rest.subarray(taken.length);
    }
    return bytes;
  }

  /** As {@link read}, where the stream must not end. */
  async expect(length: number): Promise<Uint8Array> {
    const bytes = await this.read(length);
    if (bytes === null) throw new Error(`The snapshot ends where ${length} more bytes were expected.`);
    return bytes;
  }

  /** All that is left, chunk by chunk. */
  async *remaining(): AsyncGenerator<Uint8Array, void, void> {
    if (this.#rest.length > 0) yield this.#rest;
    this.#rest = new Uint8Array(0);
    while (await this.#next()) {
      yield this.#rest;
      this.#rest = new Uint8Array(0);
    }
  }

  /** Nobody reads on: what the stream holds is let go of, wherever it stands. */
  async end(): Promise<void> {
    await this.#chunks.return?.();
  }

  async #next(): Promise<boolean> {
    const next = await this.#chunks.next();
    if (next.done === true) return false;
    this.#rest = next.value;
    return true;
  }
}
