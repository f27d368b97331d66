import { describe, expect, it } from "vitest";
import { ReceiveQueue } from "../../src/session/receive-queue.js";

describe("what came on a stream", () => {
  it("does not hold on to a whole record for the sake of a few bytes, not even as a Buffer", () => {
    const queue = new ReceiveQueue(1024 * 1024);
    const record = Buffer.alloc(16 * 1024, 7);
    for (const [piece, length] of [
      [record.subarray(100, 110), 10],
      [new Uint8Array(record.buffer, record.byteOffset, 20), 20],
    ] as const) {
      queue.push(piece);
      const bytes = queue.shift();
      expect(bytes).toHaveLength(length);
      expect(bytes?.buffer.byteLength).toBe(length);
    }
  });

  it("is not copied where that would free nothing, or little", () => {
    const queue = new ReceiveQueue(1024 * 1024);
    for (const piece of [new Uint8Array(74).subarray(10), new Uint8Array(16 * 1024)]) {
      queue.push(piece);
      expect(queue.shift()?.buffer).toBe(piece.buffer);
    }
  });

  it("in many small pieces is gathered, whole and in order, and what was read is the reader's", () => {
    const queue = new ReceiveQueue(1024 * 1024);
    const read: Uint8Array[] = [];
    const copies: Uint8Array[] = [];
    for (let i = 0; i < 100_000; i += 1) {
      queue.push(Uint8Array.of(i % 251));
      if (i % 40_000 === 39_999) queue.push(new Uint8Array(4_096).fill(255));
      if (i % 7_777 !== 0) continue;
      const bytes = queue.shift();
      if (bytes === null) continue;
      read.push(bytes);
      copies.push(bytes.slice());
    }
    for (let bytes = queue.shift(); bytes !== null; bytes = queue.shift()) read.push(bytes);
    // Later pieces must not be written into what was given away.
    for (const [at, copy] of copies.entries()) expect(read[at]).toEqual(copy);
    const all = Buffer.concat(read);
    expect(all.length).toBe(100_000 + 2 * 4_096);
    const small = all.filter((byte) => byte !== 255);
    expect(small.every((byte, i) => byte === i % 251)).toBe(true);
    expect(read.length).toBeLessThan(40);
  });
});
