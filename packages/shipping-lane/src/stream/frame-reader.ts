/** The length before each frame: a u32, little-endian, not counting itself. */
const prefixBytes = 4;

/** Cuts a byte stream into frames. A length is checked before anything is allocated for it. */
export class FrameReader {
  readonly #prefix: Uint8Array = new Uint8Array(prefixBytes);
  readonly #prefixView: DataView = new DataView(this.#prefix.buffer);
  #prefixFilled = 0;
  #frame: Uint8Array | null = null;
  #frameFilled = 0;

  /** The longest frame that may come next. */
  frameBytesMax: number;

  constructor(frameBytesMax: number) {
    this.frameBytesMax = frameBytesMax;
  }

  /**
   * Takes bytes from the beginning of `bytes` until a frame is complete, or there are no more.
   * @returns how many were taken, and the frame if one is complete; null if the next frame is empty or longer than allowed. A frame that lies
   * within `bytes` is a view of them.
   */
  take(bytes: Uint8Array): { readonly taken: number; readonly frame: Uint8Array | null } | null {
    let at = 0;
    if (this.#frame === null) {
      at = this.#fillPrefix(bytes);
      if (this.#prefixFilled < prefixBytes) return { taken: at, frame: null };
      const length = this.#prefixView.getUint32(0, true);
      if (length === 0 || length > this.frameBytesMax) return null;
      if (at + length <= bytes.length) {
        this.#prefixFilled = 0;
        return { taken: at + length, frame: bytes.subarray(at, at + length) };
      }
      this.#frame = new Uint8Array(length);
      this.#frameFilled = 0;
    }
    const part = bytes.subarray(at, at + this.#frame.length - this.#frameFilled);
    this.#frame.set(part, this.#frameFilled);
    this.#frameFilled += part.length;
    if (this.#frameFilled < this.#frame.length) return { taken: at + part.length, frame: null };
    const frame = this.#frame;
    this.#frame = null;
    this.#prefixFilled = 0;
    return { taken: at + part.length, frame };
  }

  #fillPrefix(bytes: Uint8Array): number {
    const part = bytes.subarray(0, prefixBytes - this.#prefixFilled);
    this.#prefix.set(part, this.#prefixFilled);
    this.#prefixFilled += part.length;
    return part.length;
  }
}
