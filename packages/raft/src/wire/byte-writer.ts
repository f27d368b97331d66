/** Data at least this large is not copied into the frame but handed on as a chunk of its own. */
const chunkBytesMin = 16 * 1024;

const twoTo32 = 2 ** 32;

/** Builds a frame as a few chunks: fixed-width little-endian fields and small data copied together, large data by reference. */
export class ByteWriter {
  #buffer: Uint8Array;
  #view: DataView;
  #position = 0;
  readonly #chunks: Uint8Array[] = [];
  #flushedBytes = 0;

  constructor(initialBytes: number) {
    this.#buffer = new Uint8Array(initialBytes);
    this.#view = new DataView(this.#buffer.buffer);
  }

  get length(): number {
    return this.#flushedBytes + this.#position;
  }

  u8(value: number): void {
    this.#reserve(1);
    this.#buffer[this.#position++] = value;
  }

  u32(value: number): void {
    this.#reserve(4);
    this.#view.setUint32(this.#position, value, true);
    this.#position += 4;
  }

  /** @param value - a safe integer from 0. */
  u64(value: number): void {
    this.#reserve(8);
    this.#view.setUint32(this.#position, value % twoTo32, true);
    this.#view.setUint32(this.#position + 4, value / twoTo32, true);
    this.#position += 8;
  }

  bytes(data: Uint8Array): void {
    if (data.length >= chunkBytesMin) {
      this.#flush();
      this.#chunks.push(data);
      this.#flushedBytes += data.length;
      return;
    }
    this.#reserve(data.length);
    this.#buffer.set(data, this.#position);
    this.#position += data.length;
  }

  /** The chunks in order; the writer is used up. */
  finish(): Uint8Array[] {
    this.#flush();
    return this.#chunks;
  }

  #flush(): void {
    if (this.#position === 0) return;
    this.#chunks.push(this.#buffer.subarray(0, this.#position));
    this.#flushedBytes += this.#position;
    this.#buffer = this.#buffer.subarray(this.#position);
    this.#view = new DataView(this.#buffer.buffer, this.#buffer.byteOffset, this.#buffer.length);
    this.#position = 0;
  }

  #reserve(bytes: number): void {
    if (this.#position + bytes <= this.#buffer.length) return;
    const grown = new Uint8Array(Math.max(this.#buffer.length * 2, this.#position + bytes, 256));
    grown.set(this.#buffer.subarray(0, this.#position));
    this.#buffer = grown;
    this.#view = new DataView(grown.buffer);
  }
}
