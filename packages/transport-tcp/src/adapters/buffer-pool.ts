/** The room for frames in one write: a few records of TLS, so that the cost of a write is shared. */
const writeBufferBytes: number = 128 * 1024;
const keptMax = 32;

/** Buffers to build writes in, shared by all sockets: an idle socket holds none. */
export class BufferPool {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? new Uint8Array(writeBufferBytes);
  }

  giveBack(buffer: Uint8Array): void {
    if (this.#free.length < keptMax) this.#free.push(buffer);
  }
}
