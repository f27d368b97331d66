import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Reader, varintBytesMax, writeVarint } from "../../src/wire/bytes.js";
import { ControlDecoder, type ControlMessage, controlVersion, encodeControl } from "../../src/wire/control.js";
import {
  connectionIdBytes,
  connectionKey,
  destinationKey,
  isLongHeader,
  parseLongHeader,
  versionNegotiation,
} from "../../src/wire/packet.js";
import { decodePreamble, encodePreamble } from "../../src/wire/preamble.js";
import { RetryTokens } from "../../src/wire/retry-token.js";
import { resetFillerBytes, StatelessResets } from "../../src/wire/stateless-reset.js";

const safeInteger = fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER });
const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });

describe("variable-length integers", () => {
  it("come back as they went", () => {
    fc.assert(
      fc.property(safeInteger, (value) => {
        const out = new Uint8Array(varintBytesMax);
        const reader = new Reader(out.subarray(0, writeVarint(out, 0, value)));
        expect(reader.varint()).toBe(value);
        expect(reader.failed).toBe(false);
      }),
    );
  });

  it("have the encodings of RFC 9000 appendix A.1", () => {
    const encoded = (value: number) => {
      const out = new Uint8Array(varintBytesMax);
      return Buffer.from(out.subarray(0, writeVarint(out, 0, value))).toString("hex");
    };
    expect(encoded(37)).toBe("25");
    expect(encoded(15_293)).toBe("7bbd");
    expect(encoded(494_878_333)).toBe("9d7f3e7d");
    const beyond = new Reader(Buffer.from("ffffffffffffffff", "hex"));
    beyond.varint();
    expect(beyond.failed).toBe(true);
  });
});

describe("the preamble", () => {
  const name = fc.stringMatching(/^[\x20-\x7e]{1,64}$/);

  it("comes back as it went, whatever follows", () => {
    fc.assert(
      fc.property(name, bytes(0, 20), (protocol, rest) => {
        const encoded = encodePreamble(protocol);
        expect(decodePreamble(Uint8Array.from([...encoded, ...rest]))).toEqual({ kind: "complete", protocol, length: encoded.length });
        expect(decodePreamble(encoded.subarray(0, encoded.length - 1))).toEqual({ kind: "partial" });
      }),
    );
  });

  it("refuses other versions, lengths and characters", () => {
    expect(decodePreamble(Uint8Array.of(2))).toMatchObject({ kind: "invalid", problem: expect.stringContaining("version 2") });
    expect(decodePreamble(Uint8Array.of(1, 0))).toMatchObject({ kind: "invalid" });
    expect(decodePreamble(Uint8Array.of(1, 65))).toMatchObject({ kind: "invalid" });
    expect(decodePreamble(Uint8Array.of(1, 1, 7))).toMatchObject({ kind: "invalid" });
    for (const bad of ["", "a".repeat(65), "ä", "tab\t"]) expect(() => encodePreamble(bad)).toThrow(RangeError);
  });
});

describe("the control stream", () => {
  const message = fc.oneof(
    fc.record({ type: fc.constant("credit" as const), bidirectional: safeInteger, unidirectional: safeInteger }),
    fc.record({ type: fc.constantFrom("stop" as const, "reset" as const), streamId: safeInteger, code: safeInteger }),
  );

  it("is read the same in any pieces", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }), (messages, sizes) => {
        const all = Uint8Array.from([controlVersion, ...messages.flatMap((m) => [...encodeControl(m)])]);
        const seen: ControlMessage[] = [];
        const decoder = new ControlDecoder();
        for (let at = 0, i = 0; at < all.length; i += 1) {
          const size = sizes[i % sizes.length] ?? 1;
          expect(decoder.push(all.subarray(at, at + size), (m) => seen.push(m))).toBeNull();
          at += size;
        }
        expect(seen).toEqual(messages);
      }),
    );
  });

  it("refuses other versions, types and numbers", () => {
    const push = (...input: number[]) => new ControlDecoder().push(Uint8Array.from(input), () => undefined);
    expect(push(9)).toMatch(/version 9/);
    expect(push(controlVersion, 77)).toMatch(/unknown type 77/);
    expect(push(controlVersion, 1, ...new Array<number>(16).fill(255))).toMatch(/beyond 2\^53/);
    expect(push()).toBeNull();
  });

  it("never throws", () => {
    fc.assert(
      fc.property(bytes(0, 60), (input) => {
        new ControlDecoder().push(input, () => undefined);
      }),
    );
  });
});

describe("packet headers", () => {
  const id = bytes(0, 20);
  const long = (version: number, type: number, destination: Uint8Array, source: Uint8Array, rest: number[]) => {
    const head = [0xc0 | (type << 4), version >>> 24, (version >>> 16) & 255, (version >>> 8) & 255, version & 255];
    return Uint8Array.from([...head, destination.length, ...destination, source.length, ...source, ...rest]);
  };

  it("are read as they were written", () => {
    fc.assert(
      fc.property(id, id, bytes(0, 63), (destination, source, token) => {
        const header = parseLongHeader(long(1, 0, destination, source, [token.length, ...token, 1, 2, 3]));
        expect(header).not.toBeNull();
        expect(header?.type).toBe("initial");
        for (const [got, expected] of [
          [header?.destinationId, destination],
          [header?.sourceId, source],
          [header?.token, token],
        ]) {
          expect([...(got ?? [])]).toEqual([...(expected ?? [])]);
        }
      }),
    );
    expect(parseLongHeader(long(1, 2, new Uint8Array(4), new Uint8Array(4), []))?.type).toBe("handshake");
    expect(parseLongHeader(long(7, 0, new Uint8Array(4), new Uint8Array(4), []))?.version).toBe(7);
    expect(parseLongHeader(long(1, 0, new Uint8Array(21), new Uint8Array(0), [0]))).toBeNull();
    expect(parseLongHeader(long(1, 0, new Uint8Array(4), new Uint8Array(4), [63, 1]))).toBeNull();
  });

  it("never make the reader throw", () => {
    fc.assert(
      fc.property(bytes(0, 100), (datagram) => {
        isLongHeader(datagram);
        expect(destinationKey(datagram)).toBeGreaterThanOrEqual(-1);
        parseLongHeader(datagram);
      }),
    );
  });

  it("route short and long packets to one key", () => {
    fc.assert(
      fc.property(bytes(connectionIdBytes, connectionIdBytes), (own) => {
        const key = connectionKey(own, 0);
        expect(key).toBeGreaterThanOrEqual(0);
        expect(key).toBeLessThan(2 ** 30);
        expect(destinationKey(Uint8Array.from([0x41, ...own, 1]))).toBe(key);
        expect(destinationKey(long(1, 0, own, new Uint8Array(3), [0]))).toBe(key);
      }),
    );
    expect(destinationKey(long(1, 0, new Uint8Array(8), new Uint8Array(3), [0]))).toBe(-1);
    expect(destinationKey(new Uint8Array(connectionIdBytes))).toBe(-1);
  });

  it("answer an unknown version with the one we know", () => {
    const header = parseLongHeader(long(0x1a2a3a4a, 0, Uint8Array.of(1, 2, 3), Uint8Array.of(9, 8), []));
    if (header === null) throw new Error("not parsed");
    const [first, ...rest] = versionNegotiation(header, 0x35);
    expect(first).toBe(0x80 | 0x35);
    expect(rest).toEqual([0, 0, 0, 0, 2, 9, 8, 3, 1, 2, 3, 0, 0, 0, 1]);
  });
});

describe("Retry tokens", () => {
  const tokens = new RetryTokens(new Uint8Array(32).fill(7), 1_000);
  const binding = { host: "10.0.0.1", port: 4_433, retryId: new Uint8Array(12).fill(5) };
  const original = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

  it("hold for their address, connection and time only", () => {
    const token = tokens.mint(binding, original, 5_000.5);
    const check = (other: Partial<typeof binding>, now: number) => tokens.check(token, { ...binding, ...other }, now);
    expect(check({}, 5_000.5)).toEqual(original);
    expect(check({}, 6_001)).toEqual(original);
    expect(check({}, 6_002)).toBeNull();
    expect(check({ host: "10.0.0.2" }, 5_001)).toBeNull();
    expect(check({ port: 4_434 }, 5_001)).toBeNull();
    expect(check({ retryId: new Uint8Array(12).fill(6) }, 5_001)).toBeNull();
    expect(new RetryTokens(new Uint8Array(32), 1_000).check(token, binding, 5_001)).toBeNull();
  });

  it("cannot be altered, cut or made up", () => {
    const token = tokens.mint(binding, original, 0);
    fc.assert(
      fc.property(fc.nat({ max: token.length - 1 }), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const altered = Uint8Array.from(token);
        altered[at] = (altered[at] ?? 0) ^ change;
        expect(tokens.check(altered, binding, 0)).toBeNull();
        expect(tokens.check(token.subarray(0, at), binding, 0)).toBeNull();
      }),
    );
    fc.assert(fc.property(bytes(0, 100), (random) => tokens.check(random, binding, 0) === null));
  });
});

describe("stateless resets", () => {
  const id = new Uint8Array(12).fill(3);

  it("depend on the private key and the connection id alone", () => {
    const token = new StatelessResets("key").token(id);
    expect(token).toHaveLength(16);
    expect(new StatelessResets("key").token(id)).toEqual(token);
    expect(new StatelessResets("other").token(id)).not.toEqual(token);
    expect(new StatelessResets("key").token(new Uint8Array(12))).not.toEqual(token);
  });

  it("are smaller than what they answer, look like a short packet, and end in the token", () => {
    const resets = new StatelessResets("key");
    for (const received of [22, 30, 43, 44, 1_350]) {
      const packet = resets.packet(id, received, new Uint8Array(resetFillerBytes).fill(0xff));
      expect(packet?.length).toBe(Math.min(received - 1, 43));
      expect((packet?.[0] ?? 0) & 0xc0).toBe(0x40);
      expect(packet?.subarray(-16)).toEqual(resets.token(id));
    }
    expect(resets.packet(id, 21, new Uint8Array(resetFillerBytes))).toBeNull();
  });
});
