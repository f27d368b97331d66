/** Below this a piece of much more memory is copied, lest a few bytes that somebody keeps hold on to a whole record of TLS. */
const copyBelowBytes = 2 * 1024;

/** What came on a stream and was not read yet, and how much more the peer may send. */
export class ReceiveQueue {
  readonly #windowBytes: number;
  #chunks: Uint8Array[] = [];
  #head = 0;
  #received = 0;
  #read = 0;
  #limit: number;

  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
    this.#limit = windowBytes;
  }

  get isEmpty(): boolean {
    return this.#head === this.#chunks.length;
  }

  /** Whether the peer may send so many more bytes. */
  allows(bytes: number): boolean {
    return this.#received + bytes <= this.#limit;
  }

  /** Counts bytes that are coming. */
  expect(bytes: number): void {
    this.#received += bytes;
  }

  push(bytes: Uint8Array): void {
    // Not `slice`, which of a Buffer gives a view of the same memory.
    this.#chunks.push(bytes.length < copyBelowBytes && bytes.buffer.byteLength > 2 * copyBelowBytes ? new Uint8Array(bytes) : bytes);
  }

  shift(): Uint8Array | null {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return null;
    this.#head += 1;
    if (this.isEmpty) {
      this.#chunks.length = 0;
      this.#head = 0;
    } else if (this.#head >= 64 && this.#head * 2 >= this.#chunks.length) {
      this.#chunks = this.#chunks.slice(this.#head);
      this.#head = 0;
    }
    this.#read += chunk.length;
    return chunk;
  }

  /** The limit to tell the peer, once it has used up half of its window; null before that. */
  nextLimit(): number | null {
    if ((this.#limit - this.#read) * 2 > this.#windowBytes) return null;
    this.#limit = this.#read + this.#windowBytes;
    return this.#limit;
  }

  /** Throws away what was not read; gives the number of bytes. */
  clear(): number {
    let bytes = 0;
    for (let i = this.#head; i < this.#chunks.length; i += 1) bytes += this.#chunks[i]?.length ?? 0;
    this.#chunks = [];
    this.#head = 0;
    return bytes;
  }
}
