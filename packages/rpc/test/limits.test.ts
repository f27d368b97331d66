import { describe, expect, it } from "vitest";
import { rpcStreamCodes } from "../src/index.js";
import { bytes, createHarness, defer, drainBytes, openRawStream, rejection, text } from "./support/harness.js";

const none = new Uint8Array(0);
const small = { maxFrameBytes: 32_768, maxQueuedBytes: 131_072, maxInboundBytes: 32_768 };

describe("limits of the caller", () => {
  it("refuse calls beyond maxOutboundCalls, without doubt, and take them again when there is room", async () => {
    const { client, server, caller, time } = createHarness({ caller: { maxOutboundCalls: 2 } });
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    const running = [client.call("slow", none), client.call("slow", none)];
    expect(await rejection(client.call("slow", none))).toMatchObject({ code: "OCTOPII_RPC_RESOURCE_EXHAUSTED", outcome: "failed" });
    await time.settle();
    gate.resolve(bytes("x"));
    await time.settle();
    await Promise.all(running);
    const next = client.call("slow", none);
    await time.settle();
    expect(text(await next)).toBe("x");
    expect(caller.stats()).toMatchObject({ callsStarted: 4, callsSucceeded: 3, callsRefused: 1 });
  });

  it("refuse what is over maxFrameBytes, and take what is just within", async () => {
    const { client, server, caller, time } = createHarness({ caller: small, server: small });
    server.router.handle("size", (payload) => bytes(String(payload.length)));
    // 8 bytes of header, 4 of budget, 4 of method name.
    const most = small.maxFrameBytes - 16;
    const fits = client.call("size", new Uint8Array(most));
    const error = await rejection(client.call("size", new Uint8Array(most + 1)));
    expect(error).toMatchObject({ code: "OCTOPII_RPC_RESOURCE_EXHAUSTED", outcome: "failed" });
    expect(() => client.notify("size", new Uint8Array(most + 5))).toThrow(/maxFrameBytes is 32768/);
    await time.settle();
    expect(text(await fits)).toBe(String(most));
    expect(caller.stats().callsRefused).toBe(1);
  });

  it("refuse calls and messages when too much waits, and say when there is room again", async () => {
    const { client, server, caller, far, time } = createHarness({ windowBytes: 1_000, caller: small, server: small });
    far.onStream = () => undefined;
    let received = 0;
    server.router.onOneWay("fill", () => {
      received += 1;
    });
    let taken = 0;
    while (client.notify("fill", new Uint8Array(16_000))) taken += 1;
    await time.settle();
    expect(taken).toBeGreaterThanOrEqual(8);
    while (client.notify("fill", new Uint8Array(16_000))) taken += 1;
    expect(caller.stats().queuedBytes).toBeLessThanOrEqual(small.maxQueuedBytes);
    expect(await rejection(client.call("x", new Uint8Array(16_000)))).toMatchObject({
      code: "OCTOPII_RPC_RESOURCE_EXHAUSTED",
      outcome: "failed",
    });
    let drained = 0;
    client.onDrain = () => {
      drained += 1;
    };
    const stream = far.streams[0];
    if (stream === undefined) throw new Error("No stream was opened.");
    server.acceptStream(stream, far);
    await time.settle();
    expect(drained).toBe(1);
    expect(received).toBe(taken);
    expect(client.notify("fill", none)).toBe(true);
    expect(caller.stats()).toMatchObject({ oneWaySent: taken + 1, callsRefused: 1 });
  });

  it("do not let calls that time out in a stuck queue pile up", async () => {
    const { client, caller, far, time } = createHarness({ windowBytes: 10, caller: { maxOutboundCalls: 100 } });
    far.onStream = () => undefined;
    const errors: Promise<unknown>[] = [];
    for (let round = 0; round < 20; round++) {
      for (let count = 0; count < 100; count++) errors.push(rejection(client.call("x", new Uint8Array(100), { timeoutMs: 10 })));
      await time.advance(10);
    }
    const outcomes = (await Promise.all(errors)).map((error) => (error as { readonly outcome: string }).outcome);
    expect(outcomes.filter((outcome) => outcome === "unknown")).toHaveLength(100);
    expect(outcomes.filter((outcome) => outcome === "failed")).toHaveLength(1_900);
    // What is left are the cancellations of the first hundred.
    expect(caller.stats()).toMatchObject({ pendingCalls: 0, queuedBytes: 1_200, callsTimedOut: 2_000 });
  });

  it("refuse metadata that is too large", async () => {
    const { client } = createHarness({ caller: { maxMetadataBytes: 50 } });
    const options = { metadata: { key: "v".repeat(50) } };
    expect(await rejection(client.call("x", none, options))).toBeInstanceOf(RangeError);
    expect(() => client.notify("x", none, options)).toThrow(RangeError);
  });
});

describe("limits of the server", () => {
  it("refuse requests beyond maxInboundCalls, and count handlers until they settle", async () => {
    const { client, server, time } = createHarness({ server: { maxInboundCalls: 2 } });
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    const controller = new AbortController();
    const first = rejection(client.call("slow", none, { signal: controller.signal }));
    const second = client.call("slow", none);
    const third = rejection(client.call("slow", none));
    await time.settle();
    expect(await third).toMatchObject({ code: "OCTOPII_RPC_RESOURCE_EXHAUSTED", outcome: "failed" });
    controller.abort();
    await first;
    await time.settle();
    // The first handler ignores its signal, so its slot is still taken.
    const fourth = rejection(client.call("slow", none));
    await time.settle();
    expect(await fourth).toMatchObject({ code: "OCTOPII_RPC_RESOURCE_EXHAUSTED", outcome: "failed" });
    gate.resolve(none);
    await time.settle();
    await second;
    expect(server.stats()).toMatchObject({ requestsReceived: 4, requestsRefused: 2, runningHandlers: 0 });
    const fifth = client.call("slow", none);
    await time.settle();
    await fifth;
  });

  it("refuse requests beyond maxInboundBytes and maxHandlers", async () => {
    const { client, server, time } = createHarness({ server: { ...small, maxHandlers: 2 } });
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    const large = client.call("slow", new Uint8Array(32_000));
    const tooMuch = rejection(client.call("slow", new Uint8Array(1_000)));
    const little = client.call("slow", none);
    const tooMany = rejection(client.call("slow", none));
    await time.settle();
    expect(String(await tooMuch)).toMatch(/maxInboundBytes, which is 32768/);
    expect(String(await tooMany)).toMatch(/maxHandlers, which is 2/);
    gate.resolve(none);
    await time.settle();
    await Promise.all([large, little]);
  });

  it("refuse one-way messages beyond them by dropping and counting", async () => {
    const { client, server, time } = createHarness({ server: { maxInboundCalls: 1 } });
    const gate = defer<void>();
    server.router.onOneWay("slow", () => gate.promise);
    for (let count = 0; count < 3; count++) client.notify("slow", none);
    await time.settle();
    expect(server.stats()).toMatchObject({ oneWayReceived: 3, oneWayDropped: 2, runningHandlers: 1 });
    gate.resolve();
    await time.settle();
    expect(server.stats().runningHandlers).toBe(0);
  });

  it("refuse streams beyond maxInboundStreams, but not for good", async () => {
    const { near, server, time } = createHarness({ server: { maxInboundStreams: 2 } });
    const streams = [openRawStream(near), openRawStream(near), openRawStream(near)];
    await time.settle();
    expect(streams[2]?.closeError).toMatchObject({ code: rpcStreamCodes.tooManyStreams });
    expect(server.stats().openStreams).toBe(2);
    streams[0]?.end();
    await time.settle();
    openRawStream(near);
    await time.settle();
    expect(server.stats().openStreams).toBe(2);
  });

  it("turn answers that are too large into an error", async () => {
    const { client, server, time } = createHarness({ server: small });
    server.router.handle("large", () => new Uint8Array(small.maxFrameBytes));
    const error = rejection(client.call("large", none));
    await time.settle();
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_RESOURCE_EXHAUSTED", outcome: "unknown" });
  });

  it("stop reading from a peer that does not take its answers, and go on when it does", async () => {
    const { near, server, time } = createHarness({ windowBytes: 4_096, server: small });
    let runs = 0;
    server.router.handle("e", () => {
      runs += 1;
      return new Uint8Array(8_000);
    });
    const raw = openRawStream(near);
    const request = (id: number) => new Uint8Array([13, 0, 0, 0, 0x11, 0, 1, 0, id, 0, 0, 0, 0xff, 0xff, 0, 0, 0x65]);
    for (let id = 1; id <= 100; id++) raw.write(request(id));
    await time.settle();
    expect(runs).toBeLessThan(20);
    expect(server.stats().queuedBytes).toBeLessThanOrEqual(small.maxQueuedBytes);
    const stuckAt = runs;
    let received = 0;
    raw.onReadable = () => {
      for (let chunk = raw.read(); chunk !== null; chunk = raw.read()) received += chunk.length;
    };
    raw.onReadable();
    await time.settle();
    expect(stuckAt).toBeGreaterThan(0);
    expect(runs).toBe(100);
    expect(received).toBe(100 * 8_012);
    expect(server.stats().queuedBytes).toBe(0);
  });

  it("do not cost a peer that has said all the answer which has to make room for itself", async () => {
    const { near, server, time } = createHarness({ server: small });
    const gate = defer<Uint8Array>();
    server.router.handle("e", () => gate.promise);
    const raw = openRawStream(near);
    // Sixteen answers fit into maxQueuedBytes; the last has the others written first.
    for (let id = 1; id <= 17; id++) raw.write(new Uint8Array([13, 0, 0, 0, 0x11, 0, 1, 0, id, 0, 0, 0, 0xff, 0xff, 0, 0, 0x65]));
    raw.end();
    await time.settle();
    gate.resolve(new Uint8Array(8_000));
    await time.settle();
    expect(drainBytes(raw)).toHaveLength(17 * 8_012);
    expect(raw.ended).toBe(true);
    await time.settle();
    expect(raw.closeError).toBeNull();
    expect(server.stats().openStreams).toBe(0);
  });
});
