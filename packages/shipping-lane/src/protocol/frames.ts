import { crc32 } from "node:zlib";
import type { Outcome } from "@octopii/interfaces";
import { chunkHeadBytes, digestBytes, encodingPlain, frameKinds, idBytes } from "./frame-format.js";

const prefixBytes = 4;
/** A peer wrote or caused the sentence; it goes into logs and onto terminals. */
const sentenceCharsMax = 512;

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

/** What a sender says of a transfer before anything of it travels. */
export interface Offer {
  /** 16 random bytes. */
  readonly id: Uint8Array;
  readonly name: string;
  readonly size: number;
  /** No chunk is longer. */
  readonly chunkBytes: number;
  /** The number of the hash by which the whole is checked. */
  readonly hash: number;
  /** Bits of what the receiver must know. */
  readonly features: number;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What {@link encodeOffer} takes: texts are bytes already. */
export interface OfferToEncode extends Omit<Offer, "name" | "metadata"> {
  readonly name: Uint8Array;
  readonly fields: readonly (readonly [Uint8Array, Uint8Array])[];
}

/** Why a receiver gives up. */
export interface Abort {
  readonly number: number;
  readonly outcome: Outcome;
  readonly sentence: string;
}

/** The whole, as its sender or its receiver counted it. */
export interface Total {
  readonly size: number;
  readonly digest: Uint8Array;
}

/** A frame with room for `bytes` after its kind; `at` is where they begin. */
function frame(kind: number, bytes: number): { readonly frame: Uint8Array; readonly view: DataView; readonly at: number } {
  const whole = new Uint8Array(prefixBytes + 1 + bytes);
  const view = new DataView(whole.buffer);
  view.setUint32(0, 1 + bytes, true);
  view.setUint8(prefixBytes, kind);
  return { frame: whole, view, at: prefixBytes + 1 };
}

/** `offer`: features u32, hash u8, chunkBytes u32, size u64, id, name and fields of metadata, each text after its length in a u16. */
export function encodeOffer(offer: OfferToEncode): Uint8Array {
  const texts = [offer.name, ...offer.fields.flat()];
  let bytes = 4 + 1 + 4 + 8 + idBytes + 2;
  for (const text of texts) bytes += 2 + text.length;
  const { frame: whole, view, at } = frame(frameKinds.offer, bytes);
  view.setUint32(at, offer.features, true);
  view.setUint8(at + 4, offer.hash);
  view.setUint32(at + 5, offer.chunkBytes, true);
  view.setBigUint64(at + 9, BigInt(offer.size), true);
  whole.set(offer.id, at + 17);
  view.setUint16(at + 17 + idBytes, offer.fields.length, true);
  let position = at + 19 + idBytes;
  for (const text of texts) {
    view.setUint16(position, text.length, true);
    whole.set(text, position + 2);
    position += 2 + text.length;
  }
  return whole;
}

/** The offer in a frame; a sentence if it makes no sense. */
export function decodeOffer(bytes: Uint8Array): Offer | string {
  const view = viewOf(bytes);
  const fixed = 1 + 19 + idBytes;
  if (bytes.length < fixed) return "it is too short";
  const size = view.getBigUint64(10, true);
  if (size > BigInt(Number.MAX_SAFE_INTEGER)) return `it claims ${size} bytes`;
  const texts = decodeTexts(bytes, fixed, 1 + 2 * view.getUint16(18 + idBytes, true));
  if (typeof texts === "string") return texts;
  const [name = "", ...fields] = texts;
  const metadata: [string, string][] = [];
  for (let at = 0; at + 1 < fields.length; at += 2) metadata.push([fields[at] as string, fields[at + 1] as string]);
  return {
    features: view.getUint32(1, true),
    hash: view.getUint8(5),
    chunkBytes: view.getUint32(6, true),
    size: Number(size),
    id: bytes.slice(18, 18 + idBytes),
    name,
    metadata: Object.freeze(Object.fromEntries(metadata)),
  };
}

function decodeTexts(bytes: Uint8Array, from: number, count: number): string[] | string {
  const view = viewOf(bytes);
  const texts: string[] = [];
  let at = from;
  for (let left = count; left > 0; left -= 1) {
    if (at + 2 > bytes.length) return "it ends within its texts";
    const end = at + 2 + view.getUint16(at, true);
    if (end > bytes.length) return "it ends within its texts";
    try {
      texts.push(decoder.decode(bytes.subarray(at + 2, end)));
    } catch {
      return "it holds what is not UTF-8";
    }
    at = end;
  }
  return at === bytes.length ? texts : "it goes on after its end";
}

/** `chunk`: encoding u8, offset u64, CRC-32 u32 of what stands before it in the frame and of the data, then the data, which is referenced. */
export function encodeChunk(offset: number, data: Uint8Array): [Uint8Array, Uint8Array] {
  const head = new Uint8Array(prefixBytes + chunkHeadBytes);
  const view = new DataView(head.buffer);
  view.setUint32(0, chunkHeadBytes + data.length, true);
  view.setUint8(prefixBytes, frameKinds.chunk);
  view.setUint8(prefixBytes + 1, encodingPlain);
  view.setBigUint64(prefixBytes + 2, BigInt(offset), true);
  view.setUint32(prefixBytes + 10, crc32(data, crc32(head.subarray(prefixBytes, prefixBytes + 10))), true);
  return [head, data];
}

/** A chunk in a frame; a sentence if it makes no sense, null if its checksum does not fit. Its data is a view of the frame. */
export function decodeChunk(bytes: Uint8Array): { readonly offset: bigint; readonly data: Uint8Array } | string | null {
  if (bytes.length <= chunkHeadBytes) return "a chunk is empty";
  const view = viewOf(bytes);
  const data = bytes.subarray(chunkHeadBytes);
  if (crc32(data, crc32(bytes.subarray(0, 10))) !== view.getUint32(10, true)) return null;
  if (view.getUint8(1) !== encodingPlain) return `a chunk has the unknown encoding ${view.getUint8(1)}`;
  return { offset: view.getBigUint64(2, true), data };
}

/** `accept` and `taken`: one u64. */
export function encodeCount(kind: "accept" | "taken", count: number): Uint8Array {
  const { frame: whole, view, at } = frame(frameKinds[kind], 8);
  view.setBigUint64(at, BigInt(count), true);
  return whole;
}

/** The u64 of a frame that holds nothing else; null if it does not. */
export function decodeCount(bytes: Uint8Array): bigint | null {
  return bytes.length === 9 ? viewOf(bytes).getBigUint64(1, true) : null;
}

/** `end` and `done`: size u64, then the digest. */
export function encodeTotal(kind: "end" | "done", { size, digest }: Total): Uint8Array {
  const { frame: whole, view, at } = frame(frameKinds[kind], 8 + digestBytes);
  view.setBigUint64(at, BigInt(size), true);
  whole.set(digest, at + 8);
  return whole;
}

/** Whether a frame of kind `end` or `done` says the same as we do; null if it is none. */
export function totalFits(bytes: Uint8Array, { size, digest }: Total): boolean | null {
  if (bytes.length !== 9 + digestBytes) return null;
  if (viewOf(bytes).getBigUint64(1, true) !== BigInt(size)) return false;
  return digest.every((byte, at) => byte === bytes[9 + at]);
}

/** `abort`: number u16, outcome u8 (0 failed, 1 unknown), then a sentence in UTF-8. */
export function encodeAbort({ number, outcome, sentence }: Abort): Uint8Array {
  const text = encoder.encode(printable(sentence));
  const { frame: whole, view, at } = frame(frameKinds.abort, 3 + text.length);
  view.setUint16(at, number, true);
  view.setUint8(at + 2, outcome === "unknown" ? 1 : 0);
  whole.set(text, at + 3);
  return whole;
}

/** The abort in a frame; null if it is none. */
export function decodeAbort(bytes: Uint8Array): Abort | null {
  if (bytes.length < 4) return null;
  const view = viewOf(bytes);
  const sentence = printable(new TextDecoder().decode(bytes.subarray(4)));
  // What a later version may say instead of 0 is not sure to be a failure.
  return { number: view.getUint16(1, true), outcome: view.getUint8(3) === 0 ? "failed" : "unknown", sentence };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function printable(sentence: string): string {
  return sentence.slice(0, sentenceCharsMax).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, " ");
}
