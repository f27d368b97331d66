import {
  controlPayloadBytesMax,
  frameHeaderBytes,
  frameTypes,
  type Hello,
  helloVersion,
  isProtocolName,
  readUnsigned32,
  readUnsigned48,
} from "./frame.js";

/** Takes what was read, one frame at a time. Each method gives what is wrong with the frame, as the end of a sentence, or null. */
export interface FrameHandler {
  hello(hello: Hello): string | null;
  open(id: number, protocol: string): string | null;
  /** The header of a data frame; its bytes follow by {@link data}. */
  dataBegins(id: number, length: number): string | null;
  /** A piece of the data frame that was begun: a view of what was given to the reader. */
  data(id: number, bytes: Uint8Array): void;
  end(id: number): string | null;
  reset(id: number, code: number): string | null;
  stop(id: number, code: number): string | null;
  streamLimit(id: number, limit: number): string | null;
  connectionLimit(limit: number): string | null;
  streamCount(bidirectional: number, unidirectional: number): string | null;
  ping(token: Uint8Array): string | null;
  pong(token: Uint8Array): string | null;
  close(code: number, reason: string): string | null;
  /** Nothing more is to be read: a close came, or was sent. */
  readonly isOver: boolean;
}

const decoder = new TextDecoder();
/** Payload lengths of the frames that have only one. */
const fixedLengths: Readonly<Record<number, number>> = {
  [frameTypes.hello]: 17,
  [frameTypes.end]: 0,
  [frameTypes.reset]: 6,
  [frameTypes.stop]: 6,
  [frameTypes.streamLimit]: 6,
  [frameTypes.connectionLimit]: 6,
  [frameTypes.streamCount]: 12,
  [frameTypes.ping]: 8,
  [frameTypes.pong]: 8,
};

/**
 * Cuts a byte stream into frames, however it comes in pieces. What belongs to a stream is passed on as it arrives, so a long data frame
 * takes no memory here; of everything else at most one small frame is kept.
 */
export class FrameReader {
  readonly #handler: FrameHandler;
  readonly #kept: Uint8Array = new Uint8Array(frameHeaderBytes + controlPayloadBytesMax);
  #keptBytes = 0;
  #dataId = 0;
  #dataLeft = 0;

  constructor(handler: FrameHandler) {
    this.#handler = handler;
  }

  /** Takes the next bytes. @returns what is wrong, as the end of a sentence; then the reader is of no more use. Null while all is well. */
  push(bytes: Uint8Array): string | null {
    let at = 0;
    while (at < bytes.length && !this.#handler.isOver) {
      if (this.#dataLeft > 0) {
        at = this.#pass(bytes, at);
        continue;
      }
      if (this.#keptBytes === 0 && bytes.length - at >= frameHeaderBytes) {
        const length = payloadLength(bytes, at);
        const isWhole = bytes[at] === frameTypes.data || bytes.length - at >= frameHeaderBytes + length;
        if (isWhole) {
          const problem = this.#frame(bytes, at, length);
          if (problem !== null) return problem;
          at += frameHeaderBytes + (bytes[at] === frameTypes.data ? 0 : length);
          continue;
        }
        const problem = checkLength(bytes[at] ?? 0, length);
        if (problem !== null) return problem;
      }
      at = this.#keep(bytes, at);
      const problem = this.#readKept();
      if (problem !== null) return problem;
    }
    return null;
  }

  #pass(bytes: Uint8Array, at: number): number {
    const end = Math.min(bytes.length, at + this.#dataLeft);
    this.#dataLeft -= end - at;
    this.#handler.data(this.#dataId, at === 0 && end === bytes.length ? bytes : bytes.subarray(at, end));
    return end;
  }

  /** Keeps as much of the frame that begins, or goes on, at `at` as is there; gives the place behind it. */
  #keep(bytes: Uint8Array, at: number): number {
    const wanted = this.#keptBytes < frameHeaderBytes ? frameHeaderBytes : frameHeaderBytes + payloadLength(this.#kept, 0);
    const end = Math.min(bytes.length, at + wanted - this.#keptBytes);
    this.#kept.set(bytes.subarray(at, end), this.#keptBytes);
    this.#keptBytes += end - at;
    return end;
  }

  #readKept(): string | null {
    if (this.#keptBytes < frameHeaderBytes) return null;
    const type = this.#kept[0] ?? 0;
    const length = payloadLength(this.#kept, 0);
    if (type !== frameTypes.data) {
      const problem = checkLength(type, length);
      if (problem !== null) return problem;
      if (this.#keptBytes < frameHeaderBytes + length) return null;
    }
    this.#keptBytes = 0;
    return this.#frame(this.#kept, 0, length);
  }

  #frame(bytes: Uint8Array, at: number, length: number): string | null {
    const type = bytes[at] ?? 0;
    const id = readUnsigned48(bytes, at + 4);
    if (type === frameTypes.data) {
      const problem = length === 0 ? "a data frame is empty" : this.#handler.dataBegins(id, length);
      this.#dataId = id;
      this.#dataLeft = length;
      return problem;
    }
    const problem = checkLength(type, length);
    return problem ?? this.#control(type, id, bytes.subarray(at + frameHeaderBytes, at + frameHeaderBytes + length));
  }

  #control(type: number, id: number, payload: Uint8Array): string | null {
    const handler = this.#handler;
    switch (type) {
      case frameTypes.hello:
        return this.#hello(payload);
      case frameTypes.open: {
        const name = String.fromCharCode(...payload);
        return isProtocolName(name) ? handler.open(id, name) : "a stream's protocol name is not 1 to 64 printable ASCII characters";
      }
      case frameTypes.end:
        return handler.end(id);
      case frameTypes.reset:
        return handler.reset(id, readUnsigned48(payload, 0));
      case frameTypes.stop:
        return handler.stop(id, readUnsigned48(payload, 0));
      case frameTypes.streamLimit:
        return handler.streamLimit(id, readUnsigned48(payload, 0));
      case frameTypes.connectionLimit:
        return handler.connectionLimit(readUnsigned48(payload, 0));
      case frameTypes.streamCount:
        return handler.streamCount(readUnsigned48(payload, 0), readUnsigned48(payload, 6));
      case frameTypes.ping:
        return handler.ping(payload);
      case frameTypes.pong:
        return handler.pong(payload);
      default:
        return handler.close(readUnsigned48(payload, 0), decoder.decode(payload.subarray(6)));
    }
  }

  #hello(payload: Uint8Array): string | null {
    const version = payload[0];
    if (version !== helloVersion) return `the peer speaks version ${version} of the frames, and this side knows only ${helloVersion}`;
    return this.#handler.hello({
      maxFrameBytes: readUnsigned32(payload, 1),
      streamWindowBytes: readUnsigned32(payload, 5),
      connectionWindowBytes: readUnsigned32(payload, 9),
      streams: readUnsigned32(payload, 13),
    });
  }
}

function payloadLength(bytes: Uint8Array, at: number): number {
  return ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0);
}

/** What is wrong with the type or the declared length of any frame but a data frame. */
function checkLength(type: number, length: number): string | null {
  if (type < frameTypes.hello || type > frameTypes.close) return `a frame has the unknown type ${type}`;
  if (type === frameTypes.data) return null;
  const fixed = fixedLengths[type];
  if (fixed !== undefined) return length === fixed ? null : `a frame of type ${type} declares ${length} bytes, and ${fixed} are due`;
  const min = type === frameTypes.close ? 6 : 1;
  if (length >= min && length <= controlPayloadBytesMax) return null;
  return `a frame of type ${type} declares ${length} bytes, and ${min} to ${controlPayloadBytesMax} are allowed`;
}
