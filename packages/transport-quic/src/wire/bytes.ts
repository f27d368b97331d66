/** Writes a QUIC variable-length integer (RFC 9000 section 16); gives the offset behind it. `value` must be a safe integer. */
export function writeVarint(out: Uint8Array, offset: number, value: number): number {
  let at = offset;
  if (value < 2 ** 6) {
    out[at++] = value;
  } else if (value < 2 ** 14) {
    out[at++] = 0x40 | (value >>> 8);
    out[at++] = value & 0xff;
  } else if (value < 2 ** 30) {
    out[at++] = 0x80 | (value >>> 24);
    out[at++] = (value >>> 16) & 0xff;
    out[at++] = (value >>> 8) & 0xff;
    out[at++] = value & 0xff;
  } else {
    const high = Math.floor(value / 2 ** 32);
    out[at++] = 0xc0 | (high >>> 24);
    for (const shift of [16, 8, 0]) out[at++] = (high >>> shift) & 0xff;
    for (const shift of [24, 16, 8, 0]) out[at++] = (value >>> shift) & 0xff;
  }
  return at;
}

/** The largest encoding of a variable-length integer. */
export const varintBytesMax = 8;

/** A place in bytes that are being read. Every read past the end sets `failed` and gives 0 or nothing, so that one check is enough. */
export class Reader {
  readonly bytes: Uint8Array;
  offset: number;
  failed = false;

  constructor(bytes: Uint8Array, offset = 0) {
    this.bytes = bytes;
    this.offset = offset;
  }

  byte(): number {
    const value = this.bytes[this.offset];
    if (value === undefined) {
      this.failed = true;
      return 0;
    }
    this.offset += 1;
    return value;
  }

  /** Big-endian, up to 6 bytes. */
  unsigned(length: number): number {
    let value = 0;
    for (let i = 0; i < length; i += 1) value = value * 256 + this.byte();
    return value;
  }

  /** Fails for a value beyond the safe integers too. */
  varint(): number {
    const first = this.byte();
    const length = 1 << (first >>> 6);
    let value = first & 0x3f;
    for (let i = 1; i < length; i += 1) value = value * 256 + this.byte();
    if (!Number.isSafeInteger(value)) this.failed = true;
    return value;
  }

  /** A view of the next `length` bytes. */
  view(length: number): Uint8Array {
    if (this.failed || this.offset + length > this.bytes.length) {
      this.failed = true;
      return this.bytes.subarray(0, 0);
    }
    this.offset += length;
    return this.bytes.subarray(this.offset - length, this.offset);
  }
}
