import { formatVersion, headerBytes, lengthBytes, readUint16, readUint32, rpcStreamCodes } from "./frame-format.js";

/** Takes the frames that a {@link FrameDecoder} finds. */
export interface FrameSink {
  /**
   * One frame. Its body is `bytes[start, end)`; the sink may keep views of it for good. Must not throw.
   * @param extra - the header's type-dependent number.
   * @returns null, or what is wrong with the frame; the decoder then stops for good.
   */
  onFrame(type: number, flags: number, extra: number, callId: number, bytes: Uint8Array, start: number, end: number): FrameProblem | null;
}

/** Why a stream cannot go on. */
export interface FrameProblem {
  /** One of `rpcStreamCodes`. */
  readonly code: number;
  /** One sentence for the log. */
  readonly reason: string;
}

/** Below this a frame's buffer is allocated at once; above it grows with what has really arrived. */
const trustedBytes = 65_536;

/**
 * Cuts a byte stream into frames. Frames that lie within one chunk are handed on in place; one that spans chunks is gathered in a
 * buffer of its own, which never grows beyond twice what has arrived, whatever length the frame claims.
 */
export class FrameDecoder {
  readonly #maxFrameBytes: number;
  readonly #sink: FrameSink;
  #problem: FrameProblem | null = null;
  /** The first `#carried` bytes are those of a frame that is not complete; `#needed` of them are known to be wanted. */
  #carry: Uint8Array | null = null;
  #carried = 0;
  #needed = lengthBytes;

  constructor(maxFrameBytes: number, sink: FrameSink) {
    this.#maxFrameBytes = maxFrameBytes;
    this.#sink = sink;
  }

  /** Bytes held back because their frame is not complete. */
  get carriedBytes(): number {
    return this.#carried;
  }

  /**
   * Takes the next bytes, which belong to the decoder and to those who keep frames from now on.
   * @returns null, or why the stream cannot go on; every later call says the same.
   */
  push(chunk: Uint8Array): FrameProblem | null {
    let offset = 0;
    while (this.#problem === null && this.#carried > 0 && offset < chunk.length) offset = this.#continue(chunk, offset);
    while (this.#problem === null && chunk.length - offset >= lengthBytes) {
      const length = readUint32(chunk, offset);
      this.#problem = this.#checkLength(length);
      if (this.#problem !== null) break;
      const end = offset + lengthBytes + length;
      if (end > chunk.length) break;
      this.#emit(chunk, offset + lengthBytes, end);
      offset = end;
    }
    if (this.#problem !== null) {
      this.#carry = null;
      this.#carried = 0;
    } else if (offset < chunk.length) this.#keep(chunk, offset);
    return this.#problem;
  }

  /** Adds to the frame that is being gathered, up to its end or to the end of its length field. */
  #continue(chunk: Uint8Array, offset: number): number {
    const count = Math.min(this.#needed - this.#carried, chunk.length - offset);
    const carry = this.#reserve(this.#carried + count);
    carry.set(chunk.subarray(offset, offset + count), this.#carried);
    this.#carried += count;
    if (this.#carried < this.#needed) return offset + count;
    if (this.#needed === lengthBytes) {
      const length = readUint32(carry, 0);
      this.#problem = this.#checkLength(length);
      this.#needed += length;
      return offset + count;
    }
    const end = this.#needed;
    this.#carry = null;
    this.#carried = 0;
    this.#needed = lengthBytes;
    this.#emit(carry, lengthBytes, end);
    return offset + count;
  }

  /** Starts to gather a frame from the rest of a chunk, whose length field, if it is whole, has been checked. */
  #keep(chunk: Uint8Array, offset: number): void {
    const count = chunk.length - offset;
    this.#needed = lengthBytes + (count >= lengthBytes ? readUint32(chunk, offset) : 0);
    this.#reserve(count).set(chunk.subarray(offset), 0);
    this.#carried = count;
  }

  #reserve(size: number): Uint8Array {
    const old = this.#carry;
    if (old !== null && old.length >= size) return old;
    const capacity = this.#needed <= trustedBytes ? this.#needed : Math.min(this.#needed, Math.max(trustedBytes, 2 * size));
    const grown = new Uint8Array(capacity);
    if (old !== null) grown.set(old.subarray(0, this.#carried), 0);
    this.#carry = grown;
    return grown;
  }

  #checkLength(length: number): FrameProblem | null {
    if (length < headerBytes) {
      return { code: rpcStreamCodes.malformedFrame, reason: `A frame of ${length} bytes is shorter than its header of ${headerBytes}.` };
    }
    if (length > this.#maxFrameBytes) {
      const reason = `A frame of ${length} bytes is over the limit of ${this.#maxFrameBytes}; give both ends the same maxFrameBytes.`;
      return { code: rpcStreamCodes.frameTooLarge, reason };
    }
    return null;
  }

  #emit(bytes: Uint8Array, start: number, end: number): void {
    const kind = bytes[start] ?? 0;
    const version = kind >> 4;
    if (version !== formatVersion) {
      const reason = `A frame has format version ${version}; this side knows only ${formatVersion}. Upgrade it.`;
      this.#problem = { code: rpcStreamCodes.unsupportedVersion, reason };
      return;
    }
    const flags = bytes[start + 1] ?? 0;
    const extra = readUint16(bytes, start + 2);
    const callId = readUint32(bytes, start + 4);
    this.#problem = this.#sink.onFrame(kind & 0x0f, flags, extra, callId, bytes, start + headerBytes, end);
  }
}
