import { createHash, type Hash } from "node:crypto";
import type { NodeId } from "@octopii/interfaces";
import { decodeMessages, encodeMessages, type InstallSnapshot } from "@octopii/raft";
import { framed } from "../peers/frame-reader.js";
import { interrupted } from "./snapshot-error.js";

/**
 * Names the streams that carry snapshots, and this version of what is on them: frames, each a u32 length, little-endian, and a kind in one byte
 * before what it holds.
 *
 * | kind | from the opener | what it holds |
 * | --- | --- | --- |
 * | 1 | once, first | the `InstallSnapshot` message, by Raft's `encodeMessages` |
 * | 2 | any number | data: 1 to 65,536 bytes |
 * | 3 | once, last | u64: bytes of data; 32 bytes: SHA-256 of what the frames of kind 1 and 2 held, in order |
 *
 * | kind | from the acceptor | what it holds |
 * | --- | --- | --- |
 * | 4 | at any time, last | nothing: the snapshot is taken, or is not needed any more |
 * | 5 | at any time, last | UTF-8: why it is refused |
 */
export const snapshotProtocol = "octopii/raft-snapshot/1";

/** More than any message, with as many members as there may be, and than {@link dataBytesMax}. */
export const frameBytesMax: number = 128 * 1024;
/** Data in one frame; with what a stream holds back by itself, this bounds the memory of a transfer. */
export const dataBytesMax: number = 64 * 1024;

const kinds = { message: 1, data: 2, end: 3, taken: 4, refused: 5 } as const;
const endBytes = 1 + 8 + 32;

/** A peer wrote or caused the sentence; it goes into logs and onto terminals. */
const reasonCharsMax = 512;

/** Makes the frames of the sender. */
export class SnapshotEncoder {
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;

  /** @throws RangeError if the configuration is unsound. */
  message(message: InstallSnapshot): Uint8Array[] {
    const chunks = encodeMessages([message]);
    for (const chunk of chunks) this.#hash.update(chunk);
    return frame(kinds.message, chunks);
  }

  /** @param data - 1 to {@link dataBytesMax} bytes; referenced, not copied. */
  data(data: Uint8Array): Uint8Array[] {
    this.#hash.update(data);
    this.#bytes += data.length;
    return frame(kinds.data, [data]);
  }

  end(): Uint8Array[] {
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(this.#bytes), true);
    return frame(kinds.end, [length, this.#hash.digest()]);
  }
}

/** Reads the frames of the sender. Every method throws {@link SnapshotError} `INTERRUPTED` at what makes no sense. */
export class SnapshotDecoder {
  readonly #hash: Hash = createHash("sha256");
  #bytes = 0;

  /** @param from - the sender, as its connection has proved. */
  message(bytes: Uint8Array, from: NodeId): InstallSnapshot {
    if (bytes[0] !== kinds.message) throw interrupted("The snapshot does not begin with its message.");
    const body = bytes.subarray(1);
    const messages = decodeMessages(body);
    if (typeof messages === "string") throw interrupted(`The snapshot's message cannot be read: ${messages}`);
    const [message] = messages;
    if (messages.length !== 1 || message?.type !== "InstallSnapshot") throw interrupted("The snapshot has something else for its message.");
    if (message.from !== from) throw interrupted(`The snapshot of node ${from} claims to be from node ${message.from}.`);
    this.#hash.update(body);
    return message;
  }

  /** The data of the next frame; null if it is the last one, and everything fits. */
  data(bytes: Uint8Array): Uint8Array | null {
    if (bytes[0] === kinds.end) return this.#end(bytes);
    if (bytes[0] !== kinds.data || bytes.length === 1) throw interrupted("The snapshot has a frame that makes no sense.");
    const data = bytes.subarray(1);
    this.#hash.update(data);
    this.#bytes += data.length;
    return data;
  }

  #end(bytes: Uint8Array): null {
    if (bytes.length !== endBytes) throw interrupted("The snapshot's last frame makes no sense.");
    const length = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getBigUint64(1, true);
    if (length !== BigInt(this.#bytes)) throw interrupted(`The snapshot should have ${length} bytes of data, and had ${this.#bytes}.`);
    if (!this.#hash.digest().equals(bytes.subarray(9))) throw interrupted("The snapshot's checksum does not fit.");
    return null;
  }
}

/** The acceptor's answer. @param refusal - null: taken. */
export function encodeAnswer(refusal: string | null): Uint8Array[] {
  return refusal === null ? frame(kinds.taken, []) : frame(kinds.refused, [new TextEncoder().encode(printable(refusal))]);
}

/** Reads an answer: null if the snapshot was taken, or why not. @throws {SnapshotError} `INTERRUPTED` if it is none. */
export function decodeAnswer(bytes: Uint8Array): string | null {
  if (bytes[0] === kinds.taken && bytes.length === 1) return null;
  if (bytes[0] === kinds.refused) return printable(new TextDecoder().decode(bytes.subarray(1)));
  throw interrupted("The answer to the snapshot makes no sense.");
}

function frame(kind: number, chunks: readonly Uint8Array[]): Uint8Array[] {
  return framed([new Uint8Array([kind]), ...chunks]);
}

function printable(words: string): string {
  return words.slice(0, reasonCharsMax).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}
