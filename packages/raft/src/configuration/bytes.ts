import { broken } from "../assert.js";
import { type MembershipRefusal, refuse } from "./refusal.js";

/** What became of bytes that were read back: a value, or why there is none. Nothing is thrown, whatever the bytes are. */
export type DecodeOutcome<Value> =
  | { readonly accepted: true; readonly value: Value }
  | { readonly accepted: false; readonly refusal: MembershipRefusal };

const two32 = 2 ** 32;

/** Writes a record of a known length, front to back; all numbers little-endian. */
export class ByteWriter {
  readonly bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(length: number) {
    this.bytes = new Uint8Array(length);
    this.#view = new DataView(this.bytes.buffer);
  }

  u8(value: number): void {
    this.#view.setUint8(this.#at, value);
    this.#at += 1;
  }

  u16(value: number): void {
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
  }

  /** A safe integer from 0, in eight bytes. */
  u64(value: number): void {
    this.#view.setUint32(this.#at, value % two32, true);
    this.#view.setUint32(this.#at + 4, Math.floor(value / two32), true);
    this.#at += 8;
  }

  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.#at);
    this.#at += bytes.length;
  }
}

/** Reads what {@link ByteWriter} wrote. Whoever reads asks {@link remaining} first: reading past the end is a bug. */
export class ByteReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2), true);
  }

  /** Above the safe integers the result is rounded: whoever reads checks it with `Number.isSafeInteger`. */
  u64(): number {
    const at = this.#take(8);
    return this.#view.getUint32(at + 4, true) * two32 + this.#view.getUint32(at, true);
  }

  /** A view into the bytes read; nothing is copied. */
  raw(length: number): Uint8Array {
    const at = this.#take(length);
    return this.#bytes.subarray(at, at + length);
  }

  #take(length: number): number {
    if (length > this.remaining) broken(`read ${length} bytes where ${this.remaining} remain`);
    const at = this.#at;
    this.#at += length;
    return at;
  }
}

/** Refuses bytes that are no such record. */
export function malformed(what: string, complaint: string): { readonly accepted: false; readonly refusal: MembershipRefusal } {
  const message = `these bytes are no ${what}: ${complaint}; restore them from a healthy member`;
  return { accepted: false, refusal: refuse("malformed", message) };
}

/** Refuses a record of another format version. */
export function unknownVersion(what: string, version: number): { readonly accepted: false; readonly refusal: MembershipRefusal } {
  const message = `the ${what} has format version ${version}, which this release does not know: upgrade @octopii/raft on this node`;
  return { accepted: false, refusal: refuse("unknownVersion", message) };
}
