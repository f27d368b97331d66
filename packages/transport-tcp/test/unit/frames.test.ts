import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  encodeClose,
  encodeConnectionLimit,
  encodeHello,
  encodeOpen,
  encodePing,
  encodePong,
  encodeReset,
  encodeStop,
  encodeStreamCount,
  encodeStreamLimit,
  frameHeaderBytes,
  frameTypes,
  writeHeader,
} from "../../src/wire/frame.js";
import { type FrameHandler, FrameReader } from "../../src/wire/frame-reader.js";

/** Writes down what it is given; pieces of data frames are put together. */
function recorder(): FrameHandler & { readonly seen: unknown[] } {
  const seen: unknown[] = [];
  const note =
    (name: string) =>
    (...values: unknown[]) => {
      seen.push([name, ...values.map((value) => (value instanceof Uint8Array ? [...value] : value))]);
      return null;
    };
  return {
    seen,
    isOver: false,
    hello: note("hello"),
    open: note("open"),
    dataBegins: (id, length) => {
      seen.push(["data", id, length, [] as number[]]);
      return null;
    },
    data: (_id, bytes) => {
      const last = seen.at(-1) as [string, number, number, number[]];
      last[3].push(...bytes);
    },
    end: note("end"),
    reset: note("reset"),
    stop: note("stop"),
    streamLimit: note("streamLimit"),
    connectionLimit: note("connectionLimit"),
    streamCount: note("streamCount"),
    ping: note("ping"),
    pong: note("pong"),
    close: note("close"),
  };
}

function withHeader(type: number, id: number, payload: Uint8Array): Uint8Array {
  const out = new Uint8Array(frameHeaderBytes + payload.length);
  writeHeader(out, 0, type, payload.length, id);
  out.set(payload, frameHeaderBytes);
  return out;
}

const id = fc.nat({ max: 2 ** 31 - 1 }).map((value) => value * 1_000);
const number48 = fc.maxSafeNat().map((value) => value % 2 ** 48);
const token = fc.uint8Array({ minLength: 8, maxLength: 8 });
const number32 = fc.nat({ max: 2 ** 31 - 1 });
const hello = fc.record({ maxFrameBytes: number32, streamWindowBytes: number32, connectionWindowBytes: number32, streams: number32 });
const name = fc.stringMatching(/^[\x20-\x7e]{1,64}$/);
const bytes = fc.uint8Array({ minLength: 1, maxLength: 3_000 });

/** A frame, and what a reader is to make of it. */
const anyFrame: fc.Arbitrary<readonly [Uint8Array, unknown]> = fc.oneof(
  hello.map((value) => [encodeHello(value), ["hello", value]] as const),
  fc.tuple(id, name).map(([of, protocol]) => [encodeOpen(of, protocol), ["open", of, protocol]] as const),
  fc.tuple(id, bytes).map(([of, data]) => [withHeader(frameTypes.data, of, data), ["data", of, data.length, [...data]]] as const),
  id.map((of) => [withHeader(frameTypes.end, of, new Uint8Array(0)), ["end", of]] as const),
  fc.tuple(id, number48).map(([of, code]) => [encodeReset(of, code), ["reset", of, code]] as const),
  fc.tuple(id, number48).map(([of, code]) => [encodeStop(of, code), ["stop", of, code]] as const),
  fc.tuple(id, number48).map(([of, limit]) => [encodeStreamLimit(of, limit), ["streamLimit", of, limit]] as const),
  number48.map((limit) => [encodeConnectionLimit(limit), ["connectionLimit", limit]] as const),
  fc.tuple(number48, number48).map(([two, one]) => [encodeStreamCount(two, one), ["streamCount", two, one]] as const),
  token.map((value) => [encodePing(value), ["ping", [...value]]] as const),
  token.map((value) => [encodePong(value), ["pong", [...value]]] as const),
  fc.tuple(number48, fc.string({ maxLength: 100 })).map(([code, reason]) => [encodeClose(code, reason), ["close", code, reason]] as const),
);

describe("frames", () => {
  it("are read as they were written, however they come in pieces", () => {
    fc.assert(
      fc.property(fc.array(anyFrame, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }), (frames, cuts) => {
        const whole = Buffer.concat(frames.map(([written]) => written));
        const handler = recorder();
        const reader = new FrameReader(handler);
        for (let at = 0, step = 0; at < whole.length; step += 1) {
          const length = cuts[step % cuts.length] ?? 1;
          expect(reader.push(new Uint8Array(whole.subarray(at, at + length)))).toBeNull();
          at += length;
        }
        expect(handler.seen).toEqual(frames.map(([, read]) => read));
      }),
      { numRuns: 100 },
    );
  });

  it("never throw, whatever comes", () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 60 }), { maxLength: 20 }), (pieces) => {
        const reader = new FrameReader(recorder());
        for (const piece of pieces) if (reader.push(piece) !== null) return;
      }),
      { numRuns: 500 },
    );
  });

  it.each([frameTypes.open, frameTypes.close, frameTypes.hello, frameTypes.ping])(
    "of type %i are refused by their header alone where they declare too much",
    (type) => {
      const header = new Uint8Array(frameHeaderBytes);
      writeHeader(header, 0, type, 0xff_ff_ff, 0);
      for (const pieces of [[header], [header.subarray(0, 4), header.subarray(4)]]) {
        const reader = new FrameReader(recorder());
        expect(pieces.map((piece) => reader.push(piece)).at(-1)).toMatch(/declares 16777215 bytes/);
      }
    },
  );
});
