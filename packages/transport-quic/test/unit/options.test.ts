import { describe, expect, it } from "vitest";
import { formatAddress, parseAddress } from "../../src/address.js";
import { createQuicTransport, isQuicTransportError, QuicTransportError, type QuicTransportOptions } from "../../src/index.js";
import { quicTransportDefaults, resolveQuicTransportOptions } from "../../src/options.js";

const required: QuicTransportOptions = {
  credentials: { certificate: "c", privateKey: "k", authorities: "a" },
  identify: () => ({ accepted: false, reason: "nobody" }),
};

describe("options", () => {
  it("have defaults that hold together", () => {
    expect(resolveQuicTransportOptions(required)).toEqual({ ...quicTransportDefaults, ...required });
    expect(resolveQuicTransportOptions({ ...required, idleTimeoutMs: undefined } as never).idleTimeoutMs).toBe(10_000);
  });

  it("are all checked at once", () => {
    const wrong = {
      credentials: { certificate: "", privateKey: "k", authorities: "a" },
      identify: null,
      idleTimeoutMs: 1,
      udpPayloadBytes: 20_000,
      maxSendBufferBytes: 2_048,
      streamWindowBytes: 128 * 1024 * 1024,
      congestionControl: "none",
      serverName: "",
      insecureKeyLogFile: "",
    } as unknown as QuicTransportOptions;
    expect(() => createQuicTransport(wrong)).toThrow(RangeError);
    for (const name of [
      "credentials.certificate",
      "identify",
      "idleTimeoutMs",
      "udpPayloadBytes",
      "maxSendBufferBytes",
      "connectionWindowBytes",
      "congestionControl",
      "serverName",
      "insecureKeyLogFile",
    ]) {
      expect(() => createQuicTransport(wrong)).toThrow(name);
    }
  });
});

describe("addresses", () => {
  it("are host:port, with IPv6 in brackets", () => {
    const parse = (address: string) => parseAddress(address, { allowPortZero: true });
    expect(parse("10.0.0.1:7000")).toEqual({ host: "10.0.0.1", port: 7_000 });
    expect(parse("[::1]:0")).toEqual({ host: "::1", port: 0 });
    expect(parse("[fe80::1%eth0]:5")).toEqual({ host: "fe80::1%eth0", port: 5 });
    expect(parse("node-1.example:65535")).toEqual({ host: "node-1.example", port: 65_535 });
    expect(formatAddress("::1", 5)).toBe("[::1]:5");
    expect(formatAddress("10.0.0.1", 5)).toBe("10.0.0.1:5");
    for (const bad of ["", "host", "host:", ":5", "host:65536", "::1:5", "[::1]", "a b:5", "host:5x", "u@h:5", "http://h:5"]) {
      expect(() => parse(bad), bad).toThrow(expect.objectContaining({ code: "OCTOPII_QUIC_INVALID_ADDRESS" }));
    }
    expect(() => parseAddress("host:0", { allowPortZero: false })).toThrow(QuicTransportError);
  });
});

describe("errors", () => {
  it("are told by their shape", () => {
    const error = new QuicTransportError("OCTOPII_QUIC_STREAM_LIMIT", "m", { details: { a: 1 } });
    expect(isQuicTransportError(error)).toBe(true);
    expect(isQuicTransportError(error, "OCTOPII_QUIC_STREAM_LIMIT")).toBe(true);
    expect(isQuicTransportError(error, "OCTOPII_QUIC_STREAM_CLOSED")).toBe(false);
    expect(isQuicTransportError(Object.assign(new Error("m"), { code: "OCTOPII_QUIC_STREAM_LIMIT" }))).toBe(true);
    expect(isQuicTransportError(new Error("m"))).toBe(false);
    expect(isQuicTransportError({ code: "OCTOPII_QUIC_STREAM_LIMIT" })).toBe(false);
  });
});
