import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameDecoder, type FrameProblem, type FrameSink } from "../src/frame-decoder.js";
import { encodePrefix, PlainFrame, prefixSize } from "../src/frame-encoder.js";
import { frameTypes, rpcStreamCodes } from "../src/frame-format.js";
import { decodeMetadata, encodeMetadata } from "../src/metadata.js";
import { decodeRequestBody } from "../src/request-body.js";

interface Seen {
  readonly type: number;
  readonly flags: number;
  readonly extra: number;
  readonly callId: number;
  readonly body: number[];
}

class Recorder implements FrameSink {
  readonly seen: Seen[] = [];

  onFrame(type: number, flags: number, extra: number, callId: number, bytes: Uint8Array, start: number, end: number): FrameProblem | null {
    this.seen.push({ type, flags, extra, callId, body: [...bytes.subarray(start, end)] });
    return null;
  }
}

function encode(frame: PlainFrame): Uint8Array {
  const bytes = new Uint8Array(prefixSize(frame) + frame.payload.length);
  bytes.set(frame.payload, encodePrefix(frame, bytes, new DataView(bytes.buffer), 0, 0));
  return bytes;
}

const frames = fc.array(
  fc.record({
    frameType: fc.constantFrom(frameTypes.response, frameTypes.error, frameTypes.cancel),
    flags: fc.nat(255),
    extra: fc.nat(65_535),
    callId: fc.integer({ min: 0, max: 0xffff_ffff }),
    payload: fc.uint8Array({ maxLength: 40 }),
  }),
  { maxLength: 8 },
);

function feed(decoder: FrameDecoder, stream: Uint8Array, cuts: readonly number[]): FrameProblem | null {
  let from = 0;
  let problem: FrameProblem | null = null;
  for (const cut of [...cuts, stream.length]) {
    problem = decoder.push(stream.slice(from, cut));
    from = cut;
  }
  return problem;
}

describe("frames", () => {
  it("come out as they went in, wherever the stream is cut", () => {
    fc.assert(
      fc.property(frames, fc.array(fc.nat(400), { maxLength: 12 }), (list, rawCuts) => {
        const stream = new Uint8Array(Buffer.concat(list.map((fields) => encode(new PlainFrame(fields)))));
        const cuts = rawCuts.filter((cut) => cut <= stream.length).sort((a, b) => a - b);
        const recorder = new Recorder();
        const decoder = new FrameDecoder(1_000_000, recorder);
        expect(feed(decoder, stream, cuts)).toBeNull();
        expect(recorder.seen).toEqual(list.map(({ frameType, payload, ...rest }) => ({ type: frameType, ...rest, body: [...payload] })));
        expect(decoder.carriedBytes).toBe(0);
      }),
    );
  });

  it("come out when cut at every single byte, and at every pair of places", () => {
    const list = [
      new PlainFrame({ frameType: 3, callId: 7, payload: new Uint8Array([1, 2, 3]) }),
      new PlainFrame({ frameType: 5, callId: 9 }),
    ];
    const stream = new Uint8Array(Buffer.concat(list.map(encode)));
    const whole = new Recorder();
    new FrameDecoder(100, whole).push(stream.slice());
    expect(whole.seen).toHaveLength(2);
    for (let first = 0; first <= stream.length; first++) {
      for (let second = first; second <= stream.length; second++) {
        const recorder = new Recorder();
        expect(feed(new FrameDecoder(100, recorder), stream, [first, second])).toBeNull();
        expect(recorder.seen).toEqual(whole.seen);
      }
    }
    const bytewise = new Recorder();
    feed(new FrameDecoder(100, bytewise), stream, Array.from(stream.keys()));
    expect(bytewise.seen).toEqual(whole.seen);
  });

  it("never make the decoder throw or hold more than came, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 20 }), (chunks) => {
        const decoder = new FrameDecoder(65_536, new Recorder());
        let sum = 0;
        let first: FrameProblem | null = null;
        for (const chunk of chunks) {
          sum += chunk.length;
          const problem = decoder.push(chunk);
          if (first !== null) expect(problem).toBe(first);
          first ??= problem;
          expect(decoder.carriedBytes).toBeLessThanOrEqual(sum);
        }
      }),
    );
  });

  it("that claim a gigabyte cost what has come, not what they claim", () => {
    const decoder = new FrameDecoder(1_073_741_824, new Recorder());
    const head = new Uint8Array(12);
    new DataView(head.buffer).setUint32(0, 1_000_000_000, true);
    const before = process.memoryUsage().arrayBuffers;
    for (let count = 0; count < 8; count++) expect(decoder.push(count === 0 ? head : new Uint8Array(1_000))).toBeNull();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16_777_216);
    expect(decoder.carriedBytes).toBe(7_012);
  });

  it.each([
    ["over the limit", [101, 0, 0, 0], rpcStreamCodes.frameTooLarge, /101 bytes is over the limit of 100.*maxFrameBytes/],
    ["shorter than a header", [7, 0, 0, 0], rpcStreamCodes.malformedFrame, /shorter than its header/],
    ["of another version", [8, 0, 0, 0, 0x23, 0, 0, 0, 1, 0, 0, 0], rpcStreamCodes.unsupportedVersion, /version 2.*knows only 1/],
  ])("%s are refused with a code and a sentence, whole or in pieces", (_, bytes, code, reason) => {
    for (const cuts of [[], [1], [2, 3], [4]]) {
      const recorder = new Recorder();
      const problem = feed(new FrameDecoder(100, recorder), new Uint8Array(bytes), cuts);
      expect(problem?.code).toBe(code);
      expect(problem?.reason).toMatch(reason);
      expect(recorder.seen).toEqual([]);
    }
  });

  it("keep their exact bytes: the format on the wire does not change by accident", () => {
    const request = new PlainFrame({
      frameType: frameTypes.oneWay,
      methodBytes: new Uint8Array([0x61, 0x62]),
      payload: new Uint8Array([9]),
    });
    expect([...encode(request)]).toEqual([11, 0, 0, 0, 0x12, 0, 2, 0, 0, 0, 0, 0, 0x61, 0x62, 9]);
    const error = new PlainFrame({ frameType: frameTypes.error, flags: 2, extra: 14, callId: 0x01020304 });
    expect([...encode(error)]).toEqual([8, 0, 0, 0, 0x14, 2, 14, 0, 4, 3, 2, 1]);
  });
});

describe("metadata", () => {
  const metadata = fc.dictionary(fc.string({ minLength: 1, maxLength: 20 }), fc.string({ maxLength: 40 }), {
    maxKeys: 6,
    noNullPrototype: true,
  });

  it("comes back as it was, whatever stands behind it", () => {
    fc.assert(
      fc.property(metadata, fc.uint8Array({ maxLength: 5 }), (entries, behind) => {
        const block = encodeMetadata(entries, 8_192);
        expect(block.length === 0).toBe(Object.keys(entries).length === 0);
        if (block.length === 0) return;
        const bytes = new Uint8Array([...block, ...behind]);
        const decoded = decodeMetadata(bytes, 0, bytes.length);
        if (typeof decoded === "string") throw new Error(decoded);
        expect(decoded.next).toBe(block.length);
        expect({ ...decoded.metadata }).toEqual(entries);
      }),
    );
  });

  it("that is cut or random gives a sentence, never a throw", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = decodeMetadata(bytes, 0, bytes.length);
        if (typeof decoded !== "string") expect(decoded.next).toBeLessThanOrEqual(bytes.length);
      }),
    );
    const block = encodeMetadata({ key: "value" }, 100);
    for (let end = 0; end < block.length; end++) expect(typeof decodeMetadata(block, 0, end)).toBe("string");
  });

  it("is refused when a key or the whole is too long", () => {
    expect(() => encodeMetadata({ "": "x" }, 100)).toThrow(/1 to 255 bytes/);
    expect(() => encodeMetadata({ ["k".repeat(256)]: "x" }, 1_000)).toThrow(/1 to 255 bytes/);
    expect(() => encodeMetadata({ k: "x".repeat(100) }, 100)).toThrow(/maxMetadataBytes, which is 100/);
  });
});

describe("request bodies", () => {
  it("are read or refused, whatever the bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), fc.nat(3), fc.nat(50), fc.constantFrom(1, 2), (bytes, flags, methodLength, type) => {
        const body = decodeRequestBody(type, flags, methodLength, bytes, 0, bytes.length);
        if (typeof body === "string") return;
        expect(body.method).toHaveLength(methodLength);
        expect(body.payload.length).toBeLessThanOrEqual(bytes.length);
      }),
    );
  });

  it("give payloads that are plain Uint8Arrays even when a Buffer arrived", () => {
    const body = decodeRequestBody(frameTypes.oneWay, 0, 1, Buffer.from("abc"), 0, 3);
    if (typeof body === "string") throw new Error(body);
    expect(body.payload.constructor).toBe(Uint8Array);
    expect([...body.payload]).toEqual([98, 99]);
  });
});
