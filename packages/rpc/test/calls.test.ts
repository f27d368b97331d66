import { describe, expect, it } from "vitest";
import {
  bytesCodec,
  cborCodec,
  createRpc,
  defineMethod,
  defineOneWay,
  type RpcContext,
  RpcError,
  rpcProtocol,
  textCodec,
  voidCodec,
} from "../src/index.js";
import { bytes, createHarness, defer, rejection, text } from "./support/harness.js";
import { ManualTime } from "./support/manual-time.js";

describe("calls", () => {
  it("bring the handler's answer back, at once or later", async () => {
    const { client, server, time } = createHarness();
    server.router.handle("now", (payload) => bytes(`${text(payload)}!`));
    server.router.handle("later", async (payload) => bytes(`${text(payload)}?`));
    const answers = Promise.all([client.call("now", bytes("a")), client.call("later", bytes("b")), client.call("now", new Uint8Array(0))]);
    await time.settle();
    expect((await answers).map(text)).toEqual(["a!", "b?", "!"]);
  });

  it("work in both directions on one connection, each on a stream of its own", async () => {
    const { client, server, caller, near, far, time } = createHarness();
    caller.serve(near);
    caller.router.handle("name", () => bytes("near"));
    server.router.handle("ask-back", async (_, context) => server.client(context.connection).call("name", new Uint8Array(0)));
    const answer = client.call("ask-back", new Uint8Array(0));
    await time.settle();
    expect(text(await answer)).toBe("near");
    expect(far.streams.map((stream) => stream.protocol)).toEqual([rpcProtocol, rpcProtocol]);
  });

  it("tell the handler who calls, what for and until when", async () => {
    const { client, server, far, time } = createHarness();
    let seen: RpcContext | undefined;
    let remaining = 0;
    server.router.handle("look", (payload, context) => {
      seen = context;
      remaining = context.remainingMs();
      return payload;
    });
    const answer = client.call("look", bytes("x"), { timeoutMs: 700, metadata: { trace: "17", schlüssel: "wört" } });
    await time.settle();
    await answer;
    expect(seen?.peer).toEqual({ name: "left", cluster: "test", nodeId: 1 });
    expect(seen?.connection).toBe(far);
    expect(seen?.method).toBe("look");
    expect({ ...seen?.metadata }).toEqual({ trace: "17", schlüssel: "wört" });
    expect(seen?.deadline).toBe(time.now() + 700);
    expect(remaining).toBe(700);
    expect(seen?.signal.aborted).toBe(false);
  });

  it("are not held up by a slow one in front of them", async () => {
    const { client, server, time } = createHarness();
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    server.router.handle("fast", (payload) => payload);
    const slow = client.call("slow", new Uint8Array(0));
    const fast = Promise.all(Array.from({ length: 100 }, (_, index) => client.call("fast", new Uint8Array([index]))));
    let slowDone = false;
    void slow.then(() => {
      slowDone = true;
    });
    await time.settle();
    expect((await fast).map((answer) => answer[0])).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(slowDone).toBe(false);
    gate.resolve(bytes("done"));
    await time.settle();
    expect(text(await slow)).toBe("done");
  });

  it("of one turn leave in one write, and so do their answers", async () => {
    const { client, server, near, far, time } = createHarness();
    server.router.handle("echo", (payload) => payload);
    const answers = Promise.all(Array.from({ length: 500 }, (_, index) => client.call("echo", bytes(`message ${index}`))));
    await time.settle();
    expect((await answers).map(text)).toEqual(Array.from({ length: 500 }, (_, index) => `message ${index}`));
    expect(near.streams[0]?.written).toHaveLength(1);
    expect(far.streams[0]?.written).toHaveLength(1);
  });

  it("hand large payloads to the stream without copying them, in order with the small ones", async () => {
    const { client, server, near, time } = createHarness();
    server.router.handle("size", (payload) => bytes(`${payload.length}:${payload[0]}`));
    const large = new Uint8Array(100_000).fill(7);
    const answers = Promise.all([
      client.call("size", bytes("abc")),
      client.call("size", large),
      client.call("size", bytes("d")),
      client.call("size", new Uint8Array(16_384).fill(9)),
    ]);
    await time.settle();
    expect((await answers).map(text)).toEqual(["3:97", "100000:7", "1:100", "16384:9"]);
    expect(near.streams[0]?.written).toHaveLength(4);
    expect(near.streams[0]?.written[1]).toBe(large);
  });

  it("survive a stream that delivers byte by byte through a window of one byte", async () => {
    const { client, server, time } = createHarness({ chunkBytes: 1, windowBytes: 1 });
    server.router.handle("echo", (payload) => payload);
    const payloads = [new Uint8Array(0), bytes("one"), new Uint8Array(20_000).fill(3), bytes("four")];
    const answers = Promise.all(payloads.map((payload) => client.call("echo", payload)));
    await time.settle();
    expect(await answers).toEqual(payloads);
  });

  it("by the thousand leave in several writes, in order, as the stream takes them", async () => {
    const { client, server, near, time } = createHarness({ windowBytes: 1 });
    const order: number[] = [];
    server.router.handle("order", (payload) => {
      order.push(new DataView(payload.buffer, payload.byteOffset).getUint16(0));
      return new Uint8Array(0);
    });
    const numbers = Array.from({ length: 4_000 }, (_, index) => index);
    const answers = Promise.all(
      numbers.map((number) => {
        const payload = new Uint8Array(200);
        new DataView(payload.buffer).setUint16(0, number);
        return client.call("order", payload);
      }),
    );
    await time.settle();
    expect(await answers).toHaveLength(4_000);
    expect(order).toEqual(numbers);
    expect(near.streams[0]?.written).toHaveLength(Math.ceil((4_000 * 221) / 262_144));
  });

  it("cost no timer each", async () => {
    const { client, server, time } = createHarness();
    server.router.handle("echo", (payload) => payload);
    for (let round = 0; round < 50; round++) {
      const answer = client.call("echo", new Uint8Array(1));
      await time.settle();
      await answer;
    }
    // One for the caller's endpoint and one for the server's.
    expect(time.timersSet).toBe(2);
  });

  it("carry values by the codecs of their method", async () => {
    const { client, server, time } = createHarness();
    const add = defineMethod("math.add", { request: cborCodec<{ a: number; b: number }>(), response: cborCodec<number>() });
    const shout = defineMethod("text.shout", { request: textCodec, response: textCodec });
    const touch = defineMethod("touch", { request: voidCodec, response: voidCodec });
    const raw = defineMethod("raw", { request: bytesCodec, response: bytesCodec });
    server.router.handle(add, ({ a, b }) => a + b);
    server.router.handle(shout, async (value) => value.toUpperCase());
    server.router.handle(touch, () => undefined);
    server.router.handle(raw, (value) => value);
    const answers = Promise.all([
      client.call(add, { a: 2, b: 3 }),
      client.call(shout, "grün"),
      client.call(touch, undefined),
      client.call(raw, bytes("r")),
    ]);
    await time.settle();
    expect(await answers).toEqual([5, "GRÜN", undefined, bytes("r")]);
  });

  it("run on the system's clock and scheduler by default", async () => {
    const time = new ManualTime();
    const { near, far } = createHarness();
    const server = createRpc();
    server.router.handle("echo", (payload) => payload);
    server.serve(far);
    const rpc = createRpc();
    const answer = rpc.client(near).call("echo", bytes("x"));
    expect(rpc.stats().pendingCalls).toBe(1);
    expect(time.timersSet).toBe(0);
    await rpc.close({ timeoutMs: 0 });
    expect(await rejection(answer)).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE" });
    expect(rpc.stats().pendingCalls).toBe(0);
  });

  it("find handlers by exact name, and names are checked where they are given", async () => {
    const { client, server } = createHarness();
    server.router.handle("a", (payload) => payload);
    expect(() => server.router.handle("a", (payload) => payload)).toThrow(/"a" has a handler already/);
    for (const name of ["", "has space", "grün", "x".repeat(256)]) {
      expect(() => server.router.handle(name, (payload) => payload)).toThrow(RangeError);
      expect(() => defineMethod(name, { request: textCodec, response: textCodec })).toThrow(RangeError);
      expect(await rejection(client.call(name, new Uint8Array(0)))).toBeInstanceOf(RangeError);
      expect(() => client.notify(name, new Uint8Array(0))).toThrow(RangeError);
    }
    expect(server.router.remove("a")).toBe(true);
    expect(server.router.remove("a")).toBe(false);
    expect(server.router.find("a")).toBeUndefined();
  });
});

describe("one-way messages", () => {
  it("reach their handler in order, with the peer's identity, and nothing comes back", async () => {
    const { client, server, far, time } = createHarness();
    const seen: string[] = [];
    server.router.onOneWay("beat", (payload, context) => void seen.push(`${context.peer.name} ${text(payload)}`));
    for (const beat of ["1", "2", "3"]) expect(client.notify("beat", bytes(beat))).toBe(true);
    await time.settle();
    expect(seen).toEqual(["left 1", "left 2", "left 3"]);
    expect(far.streams[0]?.written).toEqual([]);
    expect(server.stats()).toMatchObject({ oneWayReceived: 3, oneWayDropped: 0, runningHandlers: 0 });
  });

  it("carry values and metadata", async () => {
    const { client, server, time } = createHarness();
    const seen: unknown[] = [];
    const log = defineOneWay("log", cborCodec<{ line: string }>());
    server.router.onOneWay(log, async ({ line }, context) => void seen.push([line, context.metadata.level]));
    expect(client.notify(log, { line: "hello" }, { metadata: { level: "info" } })).toBe(true);
    await time.settle();
    expect(seen).toEqual([["hello", "info"]]);
  });

  it("without a handler, or with one that fails, disturb nobody", async () => {
    const { client, server, time, log } = createHarness();
    server.router.handle("echo", (payload) => payload);
    server.router.onOneWay("broken", async () => {
      throw new Error("broken on purpose");
    });
    client.notify("echo", bytes("a call's name is not a message's"));
    server.router.onOneWay("refusing", () => {
      throw new RpcError("ABORTED", "Nobody gets to see this but the log.");
    });
    client.notify("broken", bytes("x"));
    client.notify("refusing", bytes("x"));
    const answer = client.call("echo", bytes("y"));
    await time.settle();
    expect(text(await answer)).toBe("y");
    expect(server.stats()).toMatchObject({ oneWayDropped: 1, handlersFailed: 2, runningHandlers: 0 });
    const failed = log.filter(({ level }) => level === "error").map(({ fields }) => [fields.method, fields.peer]);
    expect(failed.sort()).toEqual([
      ["broken", "left"],
      ["refusing", "left"],
    ]);
  });

  it("give their handlers the default timeout, then a signal", async () => {
    const { client, server, time } = createHarness({ server: { defaultTimeoutMs: 100 } });
    let signal: AbortSignal | undefined;
    const gate = defer<void>();
    server.router.onOneWay("work", (_, context) => {
      signal = context.signal;
      return gate.promise;
    });
    client.notify("work", bytes("x"));
    await time.advance(99);
    expect(signal?.aborted).toBe(false);
    await time.advance(1);
    expect(signal?.reason).toMatchObject({ status: "DEADLINE_EXCEEDED" });
    expect(server.stats().runningHandlers).toBe(1);
    gate.resolve();
    await time.settle();
    expect(server.stats().runningHandlers).toBe(0);
  });
});
