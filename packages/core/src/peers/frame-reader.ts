/** The length before each frame: a u32, little-endian, not counting itself. */
const prefixBytes = 4;

/** Cuts a byte stream into frames of announced lengths. Lengths are checked before anything is allocated. */
export class FrameReader {
  readonly #frameBytesMax: number;
  readonly #prefix: Uint8Array = new Uint8Array(prefixBytes);
  #prefixFilled = 0;
  #frame: Uint8Array | null = null;
  #frameFilled = 0;

  constructor(frameBytesMax: number) {
    this.#frameBytesMax = frameBytesMax;
  }

  /**
   * Takes the next bytes of the stream and calls `onFrame` with each frame that they complete. A frame within one chunk is a view of it.
   * @returns false if a frame is longer than allowed: the stream cannot be read any further.
   */
  push(chunk: Uint8Array, onFrame: (frame: Uint8Array) => void): boolean {
    let position = 0;
    while (position < chunk.length) {
      if (this.#frame !== null) {
        position += this.#fill(this.#frame, chunk.subarray(position));
        if (this.#frameFilled < this.#frame.length) return true;
        const frame = this.#frame;
        this.#frame = null;
        onFrame(frame);
        continue;
      }
      position += this.#fillPrefix(chunk, position);
      if (this.#prefixFilled < prefixBytes) return true;
      this.#prefixFilled = 0;
      const length = new DataView(this.#prefix.buffer).getUint32(0, true);
      if (length > this.#frameBytesMax) return false;
      if (position + length <= chunk.length) {
        onFrame(chunk.subarray(position, position + length));
        position += length;
      } else {
        this.#frame = new Uint8Array(length);
        this.#frameFilled = 0;
      }
    }
    return true;
  }

  #fillPrefix(chunk: Uint8Array, position: number): number {
    const taken = Math.min(prefixBytes - this.#prefixFilled, chunk.length - position);
    this.#prefix.set(chunk.subarray(position, position + taken), this.#prefixFilled);
    this.#prefixFilled += taken;
    return taken;
  }

  #fill(frame: Uint8Array, rest: Uint8Array): number {
    const taken = Math.min(frame.length - this.#frameFilled, rest.length);
    frame.set(rest.subarray(0, taken), this.#frameFilled);
    this.#frameFilled += taken;
    return taken;
  }
}

/** A frame's chunks with its length before them. */
export function framed(chunks: readonly Uint8Array[]): Uint8Array[] {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const prefix = new Uint8Array(prefixBytes);
  new DataView(prefix.buffer).setUint32(0, length, true);
  return [prefix, ...chunks];
}
