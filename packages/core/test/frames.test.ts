import type { Stream } from "@octopii/interfaces";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameReader, framed } from "../src/peers/frame-reader.js";
import { FrameWriter } from "../src/peers/frame-writer.js";

const joined = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));

describe("frames", () => {
  it("come out as they went in, however the stream is cut", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 50 }), { maxLength: 8 }),
        fc.array(fc.integer({ min: 1, max: 30 })),
        (frames, cuts) => {
          const bytes = joined(frames.flatMap((frame) => framed([frame])));
          const reader = new FrameReader(50);
          const read: Uint8Array[] = [];
          let position = 0;
          for (let i = 0; position < bytes.length; i++) {
            const end = position + (cuts[i % Math.max(1, cuts.length)] ?? 7);
            expect(reader.push(bytes.subarray(position, end), (frame) => read.push(frame.slice()))).toBe(true);
            position = end;
          }
          expect(read).toEqual(frames);
        },
      ),
    );
  });

  it("refuses a declared length over the limit before it allocates anything", () => {
    const reader = new FrameReader(1000);
    expect(reader.push(new Uint8Array([255, 255, 255, 255]), () => expect.unreachable())).toBe(false);
    expect(new FrameReader(1000).push(new Uint8Array([0xe9, 3, 0, 0]), () => expect.unreachable())).toBe(false);
    expect(new FrameReader(1000).push(new Uint8Array([0xe8, 3, 0, 0]), () => expect.unreachable())).toBe(true);
  });

  it("report a stream that broke while it drained to the next writer", () => {
    let broken = false;
    const write = (): boolean => {
      if (broken) throw new Error("stopped by the peer");
      return false;
    };
    const stream = { write, onDrain: null } as unknown as Stream;
    const writer = new FrameWriter(stream, 100);
    writer.write([new Uint8Array([1])]);
    writer.write([new Uint8Array([2])]);
    broken = true;
    expect(() => stream.onDrain?.()).not.toThrow();
    expect(() => writer.write([new Uint8Array([3])])).toThrow("stopped by the peer");
  });

  it("wait for a slow stream, in order, and are dropped whole beyond the limit", () => {
    const written: Uint8Array[] = [];
    let room = 1;
    const stream = { write: (bytes: Uint8Array) => written.push(bytes) < room, onDrain: null } as unknown as Stream;
    const writer = new FrameWriter(stream, 4);
    expect(writer.write([new Uint8Array([1])])).toBe(true);
    expect(writer.write([new Uint8Array([2]), new Uint8Array([3])])).toBe(true);
    expect(writer.write([new Uint8Array([4, 4, 4])])).toBe(false);
    expect(writer.write([new Uint8Array([5])])).toBe(true);
    expect(joined(written)).toEqual(new Uint8Array([1]));
    room = 3;
    stream.onDrain?.();
    expect(joined(written)).toEqual(new Uint8Array([1, 2, 3]));
    room = 99;
    stream.onDrain?.();
    expect(joined(written)).toEqual(new Uint8Array([1, 2, 3, 5]));
    expect(writer.write([new Uint8Array([6])])).toBe(true);
    expect(joined(written)).toEqual(new Uint8Array([1, 2, 3, 5, 6]));
  });
});
