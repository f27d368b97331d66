import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { cborCodec, isRpcError } from "../src/index.js";

const codec = cborCodec<unknown>();
const hex = (digits: string) => new Uint8Array(Buffer.from(digits.replaceAll(" ", ""), "hex"));

function refusal(bytes: Uint8Array, options = {}): string {
  try {
    cborCodec(options).decode(bytes);
  } catch (error) {
    if (isRpcError(error, "OCTOPII_RPC_INVALID_ARGUMENT")) return error.message;
    throw error;
  }
  throw new Error("The bytes should have been refused.");
}

describe("cborCodec", () => {
  it("gives back the values that it says it carries", () => {
    const scalar = fc.oneof(
      fc.string({ unit: "grapheme" }),
      fc.maxSafeInteger(),
      fc.double({ noDefaultInfinity: false }),
      fc.boolean(),
      fc.constant(null),
      fc.constant(undefined),
      fc.bigInt({ min: -(2n ** 8_000n), max: 2n ** 8_000n }),
      fc.uint8Array(),
      fc.float64Array(),
      fc.int32Array(),
      fc.date({ noInvalidDate: true, min: new Date(0), max: new Date("2100-01-01") }).map((date) => new Date(Math.floor(date.getTime()))),
    );
    const key = fc.string().filter((name) => name !== "__proto__");
    const value = fc.letrec((tie) => ({
      value: fc.oneof({ depthSize: "small" }, scalar, tie("array"), tie("object"), tie("set"), tie("map")),
      array: fc.array(tie("value"), { maxLength: 5 }),
      object: fc.dictionary(key, tie("value"), { maxKeys: 5, noNullPrototype: true }),
      set: fc.array(fc.string(), { maxLength: 5 }).map((items) => new Set(items)),
      map: fc.array(fc.tuple(fc.string(), tie("value")), { maxLength: 5 }).map((entries) => new Map(entries as [string, unknown][])),
    })).value;
    fc.assert(
      fc.property(value, (original) => {
        // Zero has one form only, as documented.
        fc.pre(!Object.is(original, -0) && !JSON.stringify(original, negativeZero)?.includes("negative zero"));
        expect(codec.decode(codec.encode(original))).toEqual(original);
      }),
      { numRuns: 300 },
    );
  });

  it("writes plain standard CBOR", () => {
    expect(Buffer.from(codec.encode({ a: 1, b: [true, new Uint8Array([7])] })).toString("hex")).toBe("a2616101616282f54107");
    expect(codec.encode([]).constructor).toBe(Uint8Array);
  });

  it("decodes bytes as copies, and leaves its input as it was", () => {
    const encoded = codec.encode({ bytes: new Uint8Array([1, 2, 3]) });
    const decoded = codec.decode(encoded) as { readonly bytes: Uint8Array };
    encoded.fill(0);
    expect([...decoded.bytes]).toEqual([1, 2, 3]);
    expect(decoded.bytes.buffer.byteLength).toBe(3);
    expect(Object.keys(encoded)).toHaveLength(encoded.length);
    const fromBuffer = codec.decode(Buffer.from(codec.encode(new Uint8Array([5])))) as Uint8Array;
    expect(fromBuffer.constructor).toBe(Uint8Array);
  });

  it("does not touch the prototype of what it builds", () => {
    const decoded = codec.decode(hex("a1 69 5f5f70726f746f5f5f a1 61 78 01")) as Record<string, unknown>;
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(decoded.x).toBeUndefined();
  });

  it.each([
    ["a regular expression", "d81b 83 66526567457870 612b 6167", /tag 27/],
    ["an error", "d81b 82 654572726f72 6161", /tag 27/],
    ["a value to share", "d81c 80", /tag 28/],
    ["a shared value", "d81d 00", /tag 29/],
    ["a cycle", "d81c 81 d81d 00", /tag 28/],
    ["a record definition", "d9dfff 83 19e000 81 6161 01", /tag 57343/],
    ["record definitions", "d9dffe 82 19e000 81 6161", /tag 57342/],
    ["bundled strings", "d9dff9 82 00 6161", /tag 57337/],
    ["a packed table", "d833 84 80 80 80 00", /tag 51/],
    ["a packed reference", "c6 00", /tag 6/],
    ["a record of an older kind", "d869 83 19e000 81 6161 01", /tag 105/],
    ["a tag on the wrong kind of item", "c1 6161", /tag 1 /],
    ["a tag on a tag", "c1 c1 00", /tag 1 /],
    ["a set that is not an array", "d90102 01", /tag 258/],
    ["a big integer that would take minutes", `c2 590401 ${"ff".repeat(1_025)}`, /tag 2 /],
    ["a map of unknown length", "bf 6161 01 ff", /unknown length/],
    ["a string in pieces", "7f 6161 ff", /malformed|cut short/],
    ["a stray break", "ff", /malformed/],
    ["a packed simple value", "e0", /simple value/],
    ["a long simple value", "f820", /simple value/],
    ["reserved bits", "1c", /malformed/],
    ["nothing", "", /cut short/],
    ["something behind", "00 00", /behind/],
    ["an array longer than the input", "9affffffff", /cut short/],
    ["an array of impossible length", "9bffffffffffffffff 00", /cut short/],
    ["a map longer than the input", "baffffffff 00", /cut short/],
    ["a string longer than the input", "5affffffff", /cut short/],
    ["an array without its end", "9f 01", /cut short|malformed/],
  ])("refuses %s", (_, digits, reason) => {
    expect(refusal(hex(digits))).toMatch(reason);
  });

  it("refuses what is cut at any byte", () => {
    const whole = codec.encode({ list: [1, "two", new Uint8Array(3), new Map([["k", 2n ** 70n]])], at: new Date(1_500) });
    for (let end = 0; end < whole.length; end++) refusal(whole.slice(0, end));
  });

  it("refuses what nests too deep, and takes what nests just as deep as it may", () => {
    const nested = (depth: number) => new Uint8Array([...new Uint8Array(depth).fill(0x81), 0]);
    expect(refusal(nested(65))).toMatch(/deeper than 64/);
    expect(() => codec.decode(nested(64))).not.toThrow();
    expect(refusal(nested(100_000))).toMatch(/deeper than 64/);
    expect(refusal(nested(3), { maxDepth: 2 })).toMatch(/deeper than 2/);
    expect(() => cborCodec({ maxDepth: 0 })).toThrow(RangeError);
  });

  it("takes arrays of unknown length, which some encoders write", () => {
    expect(codec.decode(hex("9f 01 9f 02 ff 81 03 ff"))).toEqual([1, [2], [3]]);
  });

  it("either decodes random bytes or refuses them with its own error", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        try {
          codec.decode(bytes);
        } catch (error) {
          expect(isRpcError(error, "OCTOPII_RPC_INVALID_ARGUMENT")).toBe(true);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("refuses to encode what nobody could decode", () => {
    expect(() => codec.encode(new Error("x"))).toThrow(/does not carry errors/);
    expect(() => codec.encode({ nested: [/x/] })).toThrow(/does not carry regular expressions/);
    expect(() => codec.encode(() => 1)).toThrow();
    const cycle: { self?: unknown } = {};
    cycle.self = cycle;
    expect(() => codec.encode(cycle)).toThrow();
    expect(codec.decode(codec.encode({ fine: true }))).toEqual({ fine: true });
  });

  it("has its check look at what was decoded", () => {
    const checked = cborCodec<number>({
      check: (value) => {
        if (typeof value !== "number") throw new TypeError("not a number");
        return value;
      },
    });
    expect(checked.decode(codec.encode(4))).toBe(4);
    expect(() => checked.decode(codec.encode("4"))).toThrow("not a number");
  });
});

function negativeZero(_: string, value: unknown): unknown {
  if (Object.is(value, -0)) return "negative zero";
  if (typeof value === "bigint") return value.toString();
  if (ArrayBuffer.isView(value)) return Array.from(value as Float64Array, (item) => negativeZero("", item));
  if (value instanceof Map) return [...value.values()];
  return value;
}
