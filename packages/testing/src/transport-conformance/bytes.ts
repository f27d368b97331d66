import assert from "node:assert/strict";

/** `length` bytes in which every position is recognisable, so that anything lost, doubled or moved shows. */
export function pattern(length: number, salt = 0): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let index = 0; index < length; index += 1) bytes[index] = (Math.imul(index ^ (index >>> 8) ^ (index >>> 16), 31) + salt) & 0xff;
  return bytes;
}

/** Compares bulk without printing it. */
export function assertSameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  const length = Math.min(actual.length, expected.length);
  for (let index = 0; index < length; index += 1) {
    if (actual[index] !== expected[index]) {
      assert.fail(`${what}: byte ${index} of ${expected.length} is ${actual[index]} and should be ${expected[index]}`);
    }
  }
  assert.equal(actual.length, expected.length, `${what}: wrong number of bytes`);
}

/** One array of all chunks. */
export function concatenate(chunks: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const chunk of chunks) length += chunk.length;
  const joined = new Uint8Array(length);
  let position = 0;
  for (const chunk of chunks) {
    joined.set(chunk, position);
    position += chunk.length;
  }
  return joined;
}
