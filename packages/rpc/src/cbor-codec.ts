import { addExtension, Encoder } from "cbor-x/encode";
import { checkCbor } from "./cbor-guard.js";
import type { Codec } from "./codec.js";
import { RpcError } from "./errors.js";

/** Options of {@link cborCodec}. */
export interface CborCodecOptions<T> {
  /**
   * Looks at a decoded value and returns it as a `T`, or throws. Default: the value is believed, which is right only where the peer
   * is the same program.
   */
  readonly check?: (value: unknown) => T;
  /** How deep arrays, maps and tags may nest in what is decoded; 1 to 512. Default 64, more than messages written by hand have. */
  readonly maxDepth?: number;
}

/** What values nest at most by default. */
export const defaultCborDepth = 64;

/*
 * Plain, standard CBOR: no record extension, shortest map headers, untagged bytes, and decoded bytes that are copies, so that three
 * of them do not keep a whole chunk alive. One instance for all: it holds no state between calls.
 */
const cbor = new Encoder({ useRecords: false, mapsAsObjects: true, variableMapSize: true, tagUint8Array: false, copyBuffers: true });

/** Errors and regular expressions would travel under a tag that no decoder here accepts, so the sender hears of it first. */
function refuse(kind: string): never {
  throw new TypeError(`CBOR does not carry ${kind} here; send what you need of it as plain values.`);
}
addExtension({ Class: Error, tag: 27, encode: () => refuse("errors"), decode: () => refuse("tag 27") });
addExtension({ Class: RegExp, tag: 27, encode: () => refuse("regular expressions"), decode: () => refuse("tag 27") });

/** The value as CBOR. @throws {TypeError} and others, for values that have none, such as functions and cycles. */
export function encodeCbor(value: unknown): Uint8Array {
  const encoded = cbor.encode(value);
  return new Uint8Array(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

/** @throws {RpcError} `OCTOPII_RPC_INVALID_ARGUMENT` if `bytes` are not one acceptable item. */
export function decodeCbor(bytes: Uint8Array, maxDepth: number): unknown {
  const problem = checkCbor(bytes, maxDepth);
  if (problem !== null) throw new RpcError("INVALID_ARGUMENT", problem, { outcome: "failed" });
  try {
    // A view of its own, since the decoder leaves a property behind on what it is given, and must not see a Buffer.
    return cbor.decode(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength));
  } catch (cause) {
    throw new RpcError("INVALID_ARGUMENT", "The CBOR item could not be decoded.", { outcome: "failed", cause });
  }
}

/**
 * Values as CBOR (RFC 8949), safe on input from strangers: numbers, strings, booleans, null, undefined, bytes, arrays, plain objects,
 * bigints up to 8,192 bits, dates, sets, maps and typed arrays.
 *
 * Integers above 2^32 travel as 64-bit floats, exact up to 2^53; 64-bit integers from other encoders arrive as bigints. Negative zero
 * becomes zero, and a key `__proto__` is renamed.
 *
 * @throws {RangeError} if `maxDepth` is out of range.
 */
export function cborCodec<T>(options: CborCodecOptions<T> = {}): Codec<T> {
  const { check, maxDepth = defaultCborDepth } = options;
  if (!Number.isInteger(maxDepth) || maxDepth < 1 || maxDepth > 512) {
    throw new RangeError(`maxDepth must be an integer from 1 to 512, not ${String(maxDepth)}.`);
  }
  return Object.freeze({
    encode: (value: T) => encodeCbor(value),
    decode: (bytes: Uint8Array) => {
      const value = decodeCbor(bytes, maxDepth);
      return check === undefined ? (value as T) : check(value);
    },
  });
}
