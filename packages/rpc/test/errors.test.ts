import { describe, expect, it } from "vitest";
import { decodeErrorBody, encodeErrorBody, maxErrorBodyBytes } from "../src/error-body.js";
import { isRpcError, RpcError, resolveRpcOptions, rpcDefaults, rpcStatusNumbers } from "../src/index.js";
import { statusFromNumber } from "../src/status.js";

describe("RpcError", () => {
  it("carries its status, code and outcome", () => {
    const error = new RpcError("NOT_FOUND", "There is no such key.", { outcome: "failed", details: { key: "a" } });
    expect(error).toMatchObject({ name: "RpcError", status: "NOT_FOUND", code: "OCTOPII_RPC_NOT_FOUND", outcome: "failed", method: null });
    expect(error.details).toEqual({ key: "a" });
    expect(new RpcError("ABORTED", "x").outcome).toBe("unknown");
  });

  it("is told from others by its shape", () => {
    const foreign = Object.assign(new Error("x"), { status: "ABORTED", code: "OCTOPII_RPC_ABORTED", outcome: "unknown" });
    expect(isRpcError(foreign)).toBe(true);
    expect(isRpcError(foreign, "OCTOPII_RPC_ABORTED")).toBe(true);
    expect(isRpcError(foreign, "OCTOPII_RPC_INTERNAL")).toBe(false);
    expect(isRpcError(Object.assign(new Error("x"), { status: "ABORTED", code: "OTHER_ABORTED", outcome: "unknown" }))).toBe(false);
    expect(isRpcError({ status: "ABORTED", code: "OCTOPII_RPC_ABORTED", outcome: "unknown" })).toBe(false);
    expect(isRpcError(undefined)).toBe(false);
  });

  it("has gRPC's sixteen statuses under gRPC's numbers", () => {
    expect(Object.values(rpcStatusNumbers)).toEqual(Array.from({ length: 16 }, (_, index) => index + 1));
    for (const [status, number] of Object.entries(rpcStatusNumbers)) expect(statusFromNumber(number)).toBe(status);
    expect(statusFromNumber(0)).toBe("UNKNOWN");
    expect(statusFromNumber(999)).toBe("UNKNOWN");
  });
});

describe("error bodies", () => {
  const encode = (message: string, details?: Record<string, unknown>, lost: unknown[] = []) =>
    encodeErrorBody({ message, details }, (reason) => lost.push(reason));

  it("come back as they were", () => {
    const bytes = encode("Es war nichts – niemand da.", { leader: 3, address: "n3:1" });
    expect(decodeErrorBody(bytes, 0, bytes.length)).toEqual({
      message: "Es war nichts – niemand da.",
      details: { leader: 3, address: "n3:1" },
    });
  });

  it("have long messages cut between characters, and stay within their limit", () => {
    const bytes = encode("€".repeat(5_000));
    expect(bytes.length).toBeLessThanOrEqual(maxErrorBodyBytes);
    const body = decodeErrorBody(bytes, 0, bytes.length);
    expect(body?.message).toBe("€".repeat(1_365));
  });

  it("leave out details that are too large or cannot be encoded, and say so", () => {
    const lost: unknown[] = [];
    const large = encode("x", { blob: new Uint8Array(20_000) }, lost);
    const impossible = encode("x", { run: () => 1 }, lost);
    expect(lost).toHaveLength(2);
    for (const bytes of [large, impossible]) expect(decodeErrorBody(bytes, 0, bytes.length)).toEqual({ message: "x", details: undefined });
  });

  it("survive details that are not a map, or no CBOR at all", () => {
    for (const tail of [[0x01], [0x81, 0x01], [0xff], [0xd8, 0x1b]]) {
      const bytes = new Uint8Array([1, 0, 0x78, ...tail]);
      expect(decodeErrorBody(bytes, 0, bytes.length)).toEqual({ message: "x", details: undefined });
    }
    expect(decodeErrorBody(new Uint8Array([5, 0, 1]), 0, 3)).toBeNull();
    expect(decodeErrorBody(new Uint8Array([5]), 0, 1)).toBeNull();
  });
});

describe("resolveRpcOptions", () => {
  it("fills in the defaults and takes undefined for them", () => {
    expect(resolveRpcOptions()).toEqual(rpcDefaults);
    expect(resolveRpcOptions({ maxHandlers: 7 }).maxHandlers).toBe(7);
    const given = JSON.parse('{"maxHandlers":null}') as { maxHandlers?: number };
    expect(() => resolveRpcOptions(given)).toThrow(/maxHandlers must be an integer/);
  });

  it("names everything that is wrong at once", () => {
    const wrong = { maxFrameBytes: 5, defaultTimeoutMs: 1.5, typo: 1 };
    expect(() => resolveRpcOptions(wrong)).toThrow(/typo is not an option.*defaultTimeoutMs must.*maxFrameBytes must/);
    expect(() => resolveRpcOptions({ defaultTimeoutMs: 20_000, maxTimeoutMs: 10_000, maxQueuedBytes: 40_000 })).toThrow(
      /defaultTimeoutMs must not exceed maxTimeoutMs; maxQueuedBytes must hold a frame/,
    );
  });
});
