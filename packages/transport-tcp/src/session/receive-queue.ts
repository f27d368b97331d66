/** Below this a piece of much more memory is copied, lest a few bytes that somebody keeps hold on to a whole record of TLS. */
const copyBelowBytes = 2 * 1024;
/** Small pieces that nobody reads are gathered up to this: each by itself would cost some two hundred bytes more than it has. */
const gatherBytesMax = 32 * 1024;

/** What came on a stream and was not read yet, and how much more the peer may send. */
export class ReceiveQueue {
  readonly #windowBytes: number;
  #chunks: Uint8Array[] = [];
  #head = 0;
  /** What the last chunk is the beginning of, if more may be put behind it. */
  #tail: Uint8Array | null = null;
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
    if (bytes.length >= copyBelowBytes) {
      this.#tail = null;
      this.#chunks.push(bytes);
    } else if (this.#tail === null || !this.#gather(this.#tail, bytes)) {
      // Not `slice`, which of a Buffer gives a view of the same memory.
      this.#tail = bytes.buffer.byteLength > 2 * copyBelowBytes ? new Uint8Array(bytes) : bytes;
      this.#chunks.push(this.#tail);
    }
  }

  /** Puts bytes behind the last chunk. @returns false if that is long enough. */
  #gather(tail: Uint8Array, bytes: Uint8Array): boolean {
    const last = this.#chunks.length - 1;
    const before = this.#chunks[last] ?? tail;
    const length = before.length + bytes.length;
    if (length > gatherBytesMax) return false;
    let room = tail;
    if (length > tail.length) {
      room = new Uint8Array(Math.min(gatherBytesMax, 2 * length));
      room.set(before);
      this.#tail = room;
    }
    room.set(bytes, before.length);
    this.#chunks[last] = room.subarray(0, length);
    return true;
  }

  shift(): Uint8Array | null {
    const chunk = this.#chunks[this.#head];
    if (chunk === undefined) return null;
    this.#head += 1;
    if (this.isEmpty) {
      // It is the reader's now.
      this.#tail = null;
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
    this.#tail = null;
    this.#head = 0;
    return bytes;
  }
}
