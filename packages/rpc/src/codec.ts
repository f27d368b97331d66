/** Turns values into bytes and back. Both functions may throw; the call then fails with a typed error. */
export interface Codec<T> {
  /** The result belongs to the caller and is not changed any more. */
  encode(value: T): Uint8Array;
  /** `bytes` may be a view of a larger buffer; a codec that keeps parts of it copies them. */
  decode(bytes: Uint8Array): T;
}

/** Hands bytes through, without a copy. */
export const bytesCodec: Codec<Uint8Array> = Object.freeze({
  encode: (value: Uint8Array) => value,
  decode: (bytes: Uint8Array) => bytes,
});

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Strings as UTF-8. Bytes that are not UTF-8 are refused. */
export const textCodec: Codec<string> = Object.freeze({
  encode: (value: string) => encoder.encode(value),
  decode: (bytes: Uint8Array) => decoder.decode(bytes),
});

/** No value: encodes to nothing, and ignores what comes. */
export const voidCodec: Codec<void> = Object.freeze({
  encode: () => new Uint8Array(0),
  decode: () => undefined,
});
