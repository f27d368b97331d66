import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keyValueClient, keyValueStore, Rejection } from "../src/index.js";
import { decodeKeyValueRequest, encodeKeyValueRequest, type KeyValueRequest } from "../src/state-machine/key-value-codec.js";

const key = fc.string({ unit: "grapheme", maxLength: 20 });
const request: fc.Arbitrary<KeyValueRequest> = fc.oneof(
  fc.record({ operation: fc.constant("put" as const), key, value: fc.uint8Array({ maxLength: 100 }) }),
  fc.record({ operation: fc.constantFrom("delete" as const, "get" as const, "keys" as const), key }),
);
const context = { index: 1, term: 1 };

/** A store with nothing in between. */
const local = () => {
  const store = keyValueStore();
  const run = (work: () => Uint8Array): Promise<Uint8Array> => new Promise((resolve) => resolve(work()));
  const kv = keyValueClient({
    propose: (command) => run(() => store.apply(command, context)),
    query: (bytes) => run(() => store.query(bytes)),
  });
  return { store, kv };
};

describe("key-value codec", () => {
  it("gives back what it was given", () => {
    fc.assert(
      fc.property(request, (one) => {
        expect(decodeKeyValueRequest(encodeKeyValueRequest(one))).toEqual(one);
      }),
    );
  });

  it("answers any other bytes with a sentence", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        const decoded = decodeKeyValueRequest(bytes);
        if (typeof decoded === "string") expect(decoded).toMatch(/^[A-Z].*\.$/);
        else expect(decodeKeyValueRequest(encodeKeyValueRequest(decoded))).toEqual(decoded);
      }),
      { numRuns: 2_000 },
    );
    const unknownVersion = encodeKeyValueRequest({ operation: "get", key: "k" });
    unknownVersion[0] = 7;
    expect(decodeKeyValueRequest(unknownVersion)).toMatch(/format 7 are unknown/);
  });
});

describe("key-value store", () => {
  it("puts, gets, deletes and lists", async () => {
    const { kv, store } = local();
    expect(await kv.put("a/1", new Uint8Array([1, 2]))).toBe(false);
    expect(await kv.put("a/1", new Uint8Array([3]))).toBe(true);
    expect(await kv.put("b", new Uint8Array())).toBe(false);
    expect(await kv.get("a/1")).toEqual(new Uint8Array([3]));
    expect(await kv.get("b")).toEqual(new Uint8Array());
    expect(await kv.get("c")).toBeNull();
    expect(await kv.keys("a/")).toEqual(["a/1"]);
    expect(await kv.keys()).toEqual(["a/1", "b"]);
    expect(await kv.delete("a/1")).toBe(true);
    expect(await kv.delete("a/1")).toBe(false);
    expect(store.size).toBe(1);
    expect(store.entries()).toEqual([["b", new Uint8Array()]]);
  });

  it("refuses what it cannot read, without a change", () => {
    const { store } = local();
    expect(() => store.apply(new Uint8Array([1]), context)).toThrow(Rejection);
    expect(() => store.apply(encodeKeyValueRequest({ operation: "get", key: "k" }), context)).toThrow(/send it as a query/);
    expect(() => store.query(encodeKeyValueRequest({ operation: "delete", key: "k" }))).toThrow(/propose it/);
    expect(store.size).toBe(0);
  });

  it("keeps values of its own: a later change of the command's bytes changes nothing", async () => {
    const { store, kv } = local();
    const command = encodeKeyValueRequest({ operation: "put", key: "k", value: new Uint8Array([1]) });
    store.apply(command, context);
    command.fill(9);
    expect(await kv.get("k")).toEqual(new Uint8Array([1]));
  });
});
