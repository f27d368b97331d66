import { noBytes, readUint16 } from "./frame-format.js";

/** Small facts that travel beside a call's payload, such as a trace id. Keys: 1 to 255 bytes of UTF-8; values: any string. */
export type RpcMetadata = Readonly<Record<string, string>>;

export const noMetadata: RpcMetadata = Object.freeze(Object.create(null) as Record<string, string>);

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The u16 that a block starts with; it does not count itself. */
const blockLengthBytes = 2;

/**
 * The block that goes into a frame; empty for no entries.
 * @throws {RangeError} if a key is empty or too long, or the block is over `maxBytes`.
 */
export function encodeMetadata(metadata: RpcMetadata, maxBytes: number): Uint8Array {
  const parts: { readonly key: Uint8Array; readonly value: Uint8Array }[] = [];
  let size = blockLengthBytes;
  for (const [name, text] of Object.entries(metadata)) {
    const key = encoder.encode(name);
    const value = encoder.encode(text);
    if (key.length === 0 || key.length > 255) throw new RangeError(`The metadata key "${name}" must have 1 to 255 bytes of UTF-8.`);
    size += 3 + key.length + value.length;
    if (size > maxBytes) throw new RangeError(`The metadata is over maxMetadataBytes, which is ${maxBytes}; send less.`);
    parts.push({ key, value });
  }
  if (parts.length === 0) return noBytes;
  const block = new Uint8Array(size);
  const view = new DataView(block.buffer);
  view.setUint16(0, size - blockLengthBytes, true);
  let at = blockLengthBytes;
  for (const { key, value } of parts) {
    block[at] = key.length;
    block.set(key, at + 1);
    at += 1 + key.length;
    view.setUint16(at, value.length, true);
    block.set(value, at + 2);
    at += 2 + value.length;
  }
  return block;
}

/**
 * Reads the block at `bytes[start, end)`, which may have more behind it.
 * @returns the entries and where the block ends, or one sentence that says what is wrong.
 */
export function decodeMetadata(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly metadata: RpcMetadata; readonly next: number } | string {
  if (end - start < blockLengthBytes) return "A frame ends within its metadata.";
  const next = start + blockLengthBytes + readUint16(bytes, start);
  if (next > end) return "A frame ends within its metadata.";
  const metadata = Object.create(null) as Record<string, string>;
  try {
    for (let at = start + blockLengthBytes; at < next; ) {
      const keyEnd = at + 1 + (bytes[at] ?? 0);
      const valueStart = keyEnd + 2;
      if (keyEnd === at + 1 || valueStart > next) return "An entry of a frame's metadata is malformed.";
      const valueEnd = valueStart + readUint16(bytes, keyEnd);
      if (valueEnd > next) return "An entry of a frame's metadata is malformed.";
      metadata[decoder.decode(bytes.subarray(at + 1, keyEnd))] = decoder.decode(bytes.subarray(valueStart, valueEnd));
      at = valueEnd;
    }
  } catch {
    return "A frame's metadata is not UTF-8.";
  }
  return { metadata: Object.freeze(metadata), next };
}
