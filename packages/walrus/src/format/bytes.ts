const TWO_32 = 0x1_0000_0000;

/** Writes a safe integer as an unsigned 64-bit number, without a BigInt. */
export function setUint64(view: DataView, at: number, value: number): void {
  // The setter takes the number modulo 2^32 and without its fraction; an explicit remainder would be a call into the C library.
  view.setUint32(at, value, true);
  view.setUint32(at + 4, value / TWO_32, true);
}

/** Reads an unsigned 64-bit number; exact only if the result is a safe integer, which the caller checks. */
export function getUint64(view: DataView, at: number): number {
  return view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
}

/** A view of the same bytes. */
export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Whether `bytes` begins with `prefix`. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, at) => bytes[at] === byte);
}

/** `bytes` as lower-case hexadecimal digits, two each. */
export function toHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
