import { notBytes } from "../errors.js";

/**
 * Commands and queries of the key-value store as bytes: `version u8, operation u8, key length u32, key in UTF-8, value`; numbers are
 * little-endian. Answers of queries: `found u8, value`.
 */
export type KeyValueRequest =
  | { readonly operation: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly operation: "delete"; readonly key: string }
  | { readonly operation: "get"; readonly key: string }
  | { readonly operation: "keys"; readonly key: string };

const formatVersion = 1;
const headerBytes = 6;
/** Position in the list is the number in the bytes: append only. */
const operations: readonly KeyValueRequest["operation"][] = ["put", "delete", "get", "keys"];
const empty = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true });

export function encodeKeyValueRequest(request: KeyValueRequest): Uint8Array {
  // Whatever is no text would be stored under a name that nobody gave it.
  if (typeof request.key !== "string") throw new TypeError(`A key is a string, not ${typeof request.key}.`);
  const key = encoder.encode(request.key);
  const value = request.operation === "put" ? request.value : empty;
  const misuse = notBytes("A value", value);
  if (misuse !== null) throw misuse;
  const bytes = new Uint8Array(headerBytes + key.length + value.length);
  bytes[0] = formatVersion;
  bytes[1] = operations.indexOf(request.operation);
  new DataView(bytes.buffer).setUint32(2, key.length, true);
  bytes.set(key, headerBytes);
  bytes.set(value, headerBytes + key.length);
  return bytes;
}

/** @returns a sentence instead, if the bytes are no request of this format. The value is a view, not a copy. */
export function decodeKeyValueRequest(bytes: Uint8Array): KeyValueRequest | string {
  if (bytes.length < headerBytes) return `A key-value request has at least ${headerBytes} bytes, not ${bytes.length}.`;
  if (bytes[0] !== formatVersion)
    return `Key-value requests of format ${String(bytes[0])} are unknown; this store reads format ${formatVersion}.`;
  const operation = operations[bytes[1] as number];
  if (operation === undefined) return `Key-value operation ${String(bytes[1])} is unknown.`;
  const keyEnd = headerBytes + new DataView(bytes.buffer, bytes.byteOffset).getUint32(2, true);
  if (keyEnd > bytes.length) return "The key of a key-value request is longer than the request.";
  const key = decodeText(bytes.subarray(headerBytes, keyEnd));
  if (key === null) return "The key of a key-value request is not valid UTF-8.";
  if (operation === "put") return { operation, key, value: bytes.subarray(keyEnd) };
  return keyEnd === bytes.length ? { operation, key } : `A ${operation} request carries no value.`;
}

function decodeText(bytes: Uint8Array): string | null {
  try {
    return decoder.decode(bytes);
  } catch {
    return null;
  }
}

/** An optional value as bytes. */
export function encodeFound(value: Uint8Array | undefined): Uint8Array {
  if (value === undefined) return new Uint8Array([0]);
  const bytes = new Uint8Array(1 + value.length);
  bytes[0] = 1;
  bytes.set(value, 1);
  return bytes;
}

export function decodeFound(bytes: Uint8Array): Uint8Array | null {
  return bytes[0] === 1 ? bytes.subarray(1) : null;
}

/** Keys as bytes: each with its length as u32 before it. */
export function encodeKeys(keys: readonly string[]): Uint8Array {
  const encoded = keys.map((key) => encoder.encode(key));
  const bytes = new Uint8Array(encoded.reduce((sum, key) => sum + 4 + key.length, 0));
  const view = new DataView(bytes.buffer);
  let position = 0;
  for (const key of encoded) {
    view.setUint32(position, key.length, true);
    bytes.set(key, position + 4);
    position += 4 + key.length;
  }
  return bytes;
}

export function decodeKeys(bytes: Uint8Array): string[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const keys: string[] = [];
  for (let position = 0; position < bytes.length; ) {
    const length = view.getUint32(position, true);
    keys.push(decoder.decode(bytes.subarray(position + 4, position + 4 + length)));
    position += 4 + length;
  }
  return keys;
}
