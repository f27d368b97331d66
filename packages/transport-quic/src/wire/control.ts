import { Reader, varintBytesMax, writeVarint } from "./bytes.js";

/**
 * The control stream: the first unidirectional stream of each side. It starts with a version byte and carries messages of a type byte
 * and variable-length integers. Its arrival from the accepting side is what tells the dialer that its certificate was accepted; TLS 1.3
 * alone lets a client believe itself connected before the server has judged it. Credit for streams and what cuts them short go here
 * because they are delivered for certain; the engine does not always repeat the QUIC frames for them when they are lost.
 */
export const controlVersion = 1;

/** One message of the control stream. */
export type ControlMessage =
  /** How many streams of each kind the receiver of the message may have opened so far, since the connection began. */
  | { readonly type: "credit"; readonly bidirectional: number; readonly unidirectional: number }
  /** The sender gave up reading a stream, or writing it. */
  | { readonly type: "stop" | "reset"; readonly streamId: number; readonly code: number };

const creditType = 1;
const stopType = 2;
const resetType = 3;
const messageBytesMax = 1 + 2 * varintBytesMax;

function encode(type: number, first: number, second: number): Uint8Array {
  const out = new Uint8Array(messageBytesMax);
  out[0] = type;
  return out.subarray(0, writeVarint(out, writeVarint(out, 1, first), second));
}

/** Encodes one message. */
export function encodeControl(message: ControlMessage): Uint8Array {
  if (message.type === "credit") return encode(creditType, message.bidirectional, message.unidirectional);
  return encode(message.type === "stop" ? stopType : resetType, message.streamId, message.code);
}

/** Reads a control stream, in whatever pieces it comes. */
export class ControlDecoder {
  #rest: Uint8Array = new Uint8Array(0);
  #versionRead = false;

  /**
   * Takes the next bytes; calls `onMessage` for each message that is complete now. Keeps less than one message.
   * @returns what is wrong, as the end of a sentence; null while all is well.
   */
  push(bytes: Uint8Array, onMessage: (message: ControlMessage) => void): string | null {
    let all = bytes;
    if (this.#rest.length > 0) {
      all = new Uint8Array(this.#rest.length + bytes.length);
      all.set(this.#rest);
      all.set(bytes, this.#rest.length);
    }
    const reader = new Reader(all);
    if (!this.#versionRead && all.length > 0) {
      const version = reader.byte();
      if (version !== controlVersion) return `the control stream has version ${version}, and this side knows only ${controlVersion}`;
      this.#versionRead = true;
    }
    let start = reader.offset;
    while (start < all.length) {
      const type = reader.byte();
      if (type < creditType || type > resetType) return `the control stream carries a message of unknown type ${type}`;
      const [first, second] = [reader.varint(), reader.varint()];
      if (reader.failed) {
        if (all.length - start >= messageBytesMax) return "the control stream carries a number beyond 2^53";
        break;
      }
      start = reader.offset;
      onMessage(
        type === creditType
          ? { type: "credit", bidirectional: first, unidirectional: second }
          : { type: type === stopType ? "stop" : "reset", streamId: first, code: second },
      );
    }
    this.#rest = all.slice(start);
    return null;
  }
}
