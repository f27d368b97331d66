import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { failureCode, failureNumber } from "../src/protocol/failure-codes.js";
import {
  decodeAbort,
  decodeChunk,
  decodeCount,
  decodeOffer,
  encodeAbort,
  encodeChunk,
  encodeCount,
  encodeOffer,
  encodeTotal,
  totalFits,
} from "../src/protocol/frames.js";
import { FrameReader } from "../src/stream/frame-reader.js";

const utf8 = new TextEncoder();
const text = fc.string({ unit: "grapheme", maxLength: 60 });
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const size = fc.maxSafeNat();
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 });
const body = (frame: Uint8Array): Uint8Array => frame.subarray(4);

describe("frames", () => {
  it("of offers come back as they were", () => {
    const offer = fc.record({
      id: fc.uint8Array({ minLength: 16, maxLength: 16 }),
      name: text,
      size,
      chunkBytes: u32,
      hash: fc.nat(255),
      features: u32,
      metadata: fc.dictionary(text, text, { maxKeys: 8 }),
    });
    fc.assert(
      fc.property(offer, ({ name, metadata, ...rest }) => {
        const fields = Object.entries(metadata).map(([key, value]) => [utf8.encode(key), utf8.encode(value)] as const);
        const decoded = decodeOffer(body(encodeOffer({ ...rest, name: utf8.encode(name), fields })));
        expect(decoded).toEqual({ ...rest, name, metadata: Object.fromEntries(Object.entries(metadata)) });
      }),
    );
  });

  it("of chunks come back as they were, and not at all with any bit flipped", () => {
    const data = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(size, data, fc.nat(), (offset, bytes, flip) => {
        const frame = body(new Uint8Array(Buffer.concat(encodeChunk(offset, bytes))));
        expect(decodeChunk(frame)).toEqual({ offset: BigInt(offset), data: bytes });
        const bit = flip % (frame.length * 8);
        frame[bit >> 3] = (frame[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        expect(decodeChunk(frame)).toBeNull();
      }),
    );
  });

  it("of counts, totals and aborts come back as they were", () => {
    fc.assert(
      fc.property(size, digest, fc.nat(65_535), fc.boolean(), (count, bytes, number, isUnknown) => {
        expect(decodeCount(body(encodeCount("taken", count)))).toBe(BigInt(count));
        expect(totalFits(body(encodeTotal("end", { size: count, digest: bytes })), { size: count, digest: bytes })).toBe(true);
        const other = bytes.map((byte, at) => (at === count % 32 ? byte ^ 1 : byte));
        expect(totalFits(body(encodeTotal("end", { size: count, digest: bytes })), { size: count, digest: other })).toBe(false);
        const abort = { number, outcome: isUnknown ? "unknown" : "failed", sentence: "it was not to be." } as const;
        expect(decodeAbort(body(encodeAbort(abort)))).toEqual(abort);
      }),
    );
  });

  it("that are anything at all throw nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const decode of [decodeOffer, decodeChunk, decodeCount, decodeAbort]) expect(() => decode(bytes)).not.toThrow();
        expect(() => totalFits(bytes, { size: 0, digest: new Uint8Array(32) })).not.toThrow();
      }),
    );
  });

  it("say nothing that a terminal would obey", () => {
    const frame = encodeAbort({ number: 1, outcome: "failed", sentence: `\x1b[2J${"x".repeat(9_000)}` });
    expect(frame.length).toBeLessThan(600);
    expect(decodeAbort(body(frame))?.sentence).toMatch(/^ \[2Jx+$/);
  });
});

describe("a byte stream", () => {
  it("is cut into its frames, however it comes in pieces", () => {
    const frames = fc.array(fc.uint8Array({ minLength: 1, maxLength: 50 }), { maxLength: 20 });
    fc.assert(
      fc.property(frames, fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (bodies, pieces) => {
        const stream = Buffer.concat(bodies.flatMap((one) => [new Uint8Array(Uint32Array.of(one.length).buffer), one]));
        const reader = new FrameReader(50);
        const found: Uint8Array[] = [];
        for (let at = 0, next = 0; at < stream.length; next++) {
          let piece: Uint8Array = stream.subarray(at, at + (pieces[next % pieces.length] ?? 1));
          at += piece.length;
          while (piece.length > 0) {
            const step = reader.take(piece);
            if (step === null) throw new Error("A frame was refused.");
            if (step.frame !== null) found.push(step.frame.slice());
            piece = piece.subarray(step.taken);
          }
        }
        expect(found.map((one) => [...one])).toEqual(bodies.map((one) => [...one]));
      }),
    );
  });

  it("with an empty frame, or one that is too long, is refused before anything is kept", () => {
    expect(new FrameReader(50).take(new Uint8Array(4))).toBeNull();
    expect(new FrameReader(50).take(new Uint8Array([51, 0, 0, 0]))).toBeNull();
    expect(new FrameReader(50).take(new Uint8Array([50, 0, 0, 0]))).toEqual({ taken: 4, frame: null });
  });
});

describe("numbers of failures", () => {
  it("are as docs/LANE-FORMAT.md has them, and one that is unknown is a refusal", () => {
    expect(Array.from({ length: 16 }, (_, at) => failureCode(at + 1).replace("OCTOPII_LANE_", ""))).toEqual([
      ...["REFUSED", "TOO_LARGE", "EXISTS", "BUSY", "CORRUPT", "STORAGE_FAILED", "TIMEOUT", "CANCELLED"],
      ...["SOURCE_CHANGED", "SOURCE_FAILED", "PROTOCOL", "UNSUPPORTED", "NAME_INVALID", "CLOSED", "DISCONNECTED", "SOURCE_MISSING"],
    ]);
    expect(failureCode(999)).toBe("OCTOPII_LANE_REFUSED");
    expect(failureNumber("somebody's own reason")).toBe(8);
  });
});
