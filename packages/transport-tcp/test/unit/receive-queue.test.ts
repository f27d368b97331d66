import { describe, expect, it } from "vitest";
import { ReceiveQueue } from "../../src/session/receive-queue.js";

describe("what came on a stream", () => {
  it("does not hold on to a whole record for the sake of a few bytes, not even as a Buffer", () => {
    const queue = new ReceiveQueue(1024 * 1024);
    const record = Buffer.alloc(16 * 1024, 7);
    queue.push(record.subarray(100, 110));
    queue.push(new Uint8Array(record.buffer, record.byteOffset, 20));
    for (const length of [10, 20]) {
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
});
