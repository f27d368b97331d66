import { describe, expect, it } from "vitest";
import { cborCodec, defineMethod, isRpcError, RpcError } from "../src/index.js";
import { bytes, createHarness, defer, rejection, text } from "./support/harness.js";

const none = new Uint8Array(0);

describe("errors", () => {
  it("that a handler throws reach the caller with status, message, outcome and details", async () => {
    const { client, server, time } = createHarness();
    server.router.handle("sync", () => {
      throw new RpcError("NOT_FOUND", "There is no such key.", { details: { key: "k", near: [1, 2] } });
    });
    server.router.handle("async", async () => {
      throw new RpcError("FAILED_PRECONDITION", "This node does not lead.", { outcome: "failed", details: { leader: 3 } });
    });
    const errors = Promise.all([rejection(client.call("sync", none)), rejection(client.call("async", none))]);
    await time.settle();
    const [sync, async] = await errors;
    expect(sync).toMatchObject({ code: "OCTOPII_RPC_NOT_FOUND", message: "There is no such key.", outcome: "unknown", method: "sync" });
    expect(sync).toMatchObject({ details: { key: "k", near: [1, 2] } });
    expect(async).toMatchObject({ code: "OCTOPII_RPC_FAILED_PRECONDITION", outcome: "failed", details: { leader: 3 } });
    expect(server.stats().handlersFailed).toBe(0);
  });

  it("of other kinds become INTERNAL without a word of their text, and are logged", async () => {
    const { client, server, time, log } = createHarness();
    const secret = new Error("password is 1234");
    server.router.handle("throws", () => {
      throw secret;
    });
    server.router.handle("rejects", () => Promise.reject("a string"));
    server.router.handle("answers-wrong", () => "text" as unknown as Uint8Array);
    const errors = Promise.all(["throws", "rejects", "answers-wrong"].map((method) => rejection(client.call(method, none))));
    await time.settle();
    for (const error of await errors) {
      expect(error).toMatchObject({ code: "OCTOPII_RPC_INTERNAL", outcome: "unknown" });
      expect(JSON.stringify(error) + String(error)).not.toMatch(/1234|a string/);
    }
    const logged = log.filter(({ level }) => level === "error");
    expect(logged.map(({ fields }) => fields.method)).toEqual(["throws", "answers-wrong", "rejects"]);
    expect(logged[0]?.fields.err).toBe(secret);
    expect(server.stats()).toMatchObject({ handlersFailed: 3, runningHandlers: 0 });
  });

  it("say UNIMPLEMENTED and failed where no handler is", async () => {
    const { client, time } = createHarness();
    const error = rejection(client.call("nowhere", none));
    await time.settle();
    expect(await error).toMatchObject({
      code: "OCTOPII_RPC_UNIMPLEMENTED",
      outcome: "failed",
      message: 'There is no handler for "nowhere".',
    });
  });

  it("of a call inside a handler never claim that the handler did nothing", async () => {
    const { client, server, caller, near, time } = createHarness();
    caller.serve(near);
    server.router.handle("outer", async (_, context) => server.client(context.connection).call("missing", none));
    const error = rejection(client.call("outer", none));
    await time.settle();
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_UNIMPLEMENTED", outcome: "unknown", method: "outer" });
  });

  it("of codecs name the side that is wrong and whether the handler ran", async () => {
    const { client, server, time } = createHarness();
    let runs = 0;
    const number = cborCodec<number>({
      check: (value) => {
        if (typeof value !== "number") throw new RpcError("OUT_OF_RANGE", "It must be a number.");
        return value;
      },
    });
    const text = cborCodec<string>();
    const half = defineMethod("half", { request: number, response: number });
    const lying = defineMethod("half", { request: cborCodec<unknown>(), response: text });
    const misread = defineMethod("half", {
      request: number,
      response: { ...text, decode: () => number.decode(text.encode("x")) as never },
    });
    server.router.handle(half, (value) => {
      runs += 1;
      return value / 2;
    });
    const raw = rejection(client.call("half", new Uint8Array([0xff])));
    const wrong = rejection(client.call(lying, "four"));
    const unencodable = rejection(client.call(lying, () => 1));
    const unreadable = rejection(client.call(misread, 4));
    await time.settle();
    expect(await raw).toMatchObject({ code: "OCTOPII_RPC_INVALID_ARGUMENT", outcome: "failed" });
    expect(await wrong).toMatchObject({ code: "OCTOPII_RPC_OUT_OF_RANGE", outcome: "failed", message: "It must be a number." });
    expect(await unencodable).toMatchObject({ code: "OCTOPII_RPC_INVALID_ARGUMENT", outcome: "failed", method: "half" });
    expect(await unreadable).toMatchObject({ code: "OCTOPII_RPC_INTERNAL", outcome: "unknown" });
    expect(runs).toBe(1);
  });
});

describe("deadlines", () => {
  it("end the wait on the caller's side and abort the handler on the other", async () => {
    const { client, server, time } = createHarness();
    let signal: AbortSignal | undefined;
    server.router.handle("hang", (_, context) => {
      signal = context.signal;
      return new Promise<Uint8Array>((_resolve, reject) => context.signal.addEventListener("abort", () => reject(context.signal.reason)));
    });
    const error = rejection(client.call("hang", none, { timeoutMs: 250 }));
    await time.advance(249);
    expect(signal?.aborted).toBe(false);
    await time.advance(1);
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED", outcome: "unknown", method: "hang" });
    expect(String(await error)).toMatch(/right did not answer "hang" within 250 ms/);
    expect(signal?.reason).toMatchObject({ status: "DEADLINE_EXCEEDED" });
    expect(server.stats()).toMatchObject({ runningHandlers: 0, handlersFailed: 0, lateResults: 1 });
  });

  it("have a default that is finite", async () => {
    const { client, server, time } = createHarness({ caller: { defaultTimeoutMs: 40 } });
    server.router.handle("hang", () => new Promise(() => undefined));
    const error = rejection(client.call("hang", none));
    await time.advance(40);
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED" });
  });

  it("travel as what is left when the request leaves", async () => {
    const { client, server, far, time } = createHarness({ windowBytes: 10 });
    const left: number[] = [];
    server.router.handle("left", (payload, context) => {
      left.push(context.remainingMs());
      return payload;
    });
    far.onStream = () => undefined;
    const first = client.call("left", new Uint8Array(100), { timeoutMs: 1_000 });
    await time.settle();
    const second = client.call("left", none, { timeoutMs: 1_000 });
    await time.advance(300);
    const stream = far.streams[0];
    if (stream === undefined) throw new Error("No stream was opened.");
    expect(server.acceptStream(stream, far)).toBe(true);
    await time.settle();
    await Promise.all([first, second]);
    // The first left at once, and how long it lay on the way is not known; the second waited here.
    expect(left).toEqual([1_000, 700]);
  });

  it("that pass before the request could leave leave no doubt", async () => {
    const { client, server, far, time } = createHarness({ windowBytes: 10, caller: { maxTimeoutMs: 20_000 } });
    far.onStream = () => undefined;
    const sent = rejection(client.call("a", new Uint8Array(100), { timeoutMs: 300 }));
    await time.settle();
    const unsent = rejection(client.call("b", none, { timeoutMs: 200 }));
    await time.advance(300);
    expect(await sent).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED", outcome: "unknown" });
    expect(await unsent).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED", outcome: "failed" });
    expect(String(await unsent)).toMatch(/could not be sent/);
    expect(server.stats().requestsReceived).toBe(0);
  });

  it("of zero or less fail at once, and those out of range are a mistake", async () => {
    const { client, caller } = createHarness();
    for (const timeoutMs of [0, -5]) {
      expect(await rejection(client.call("x", none, { timeoutMs }))).toMatchObject({
        code: "OCTOPII_RPC_DEADLINE_EXCEEDED",
        outcome: "failed",
      });
    }
    for (const timeoutMs of [Number.NaN, Number.POSITIVE_INFINITY, 600_001]) {
      expect(await rejection(client.call("x", none, { timeoutMs }))).toBeInstanceOf(RangeError);
    }
    expect(caller.stats()).toMatchObject({ callsRefused: 5, pendingCalls: 0 });
  });

  it("are cut to the server's limit, and the caller hears of it", async () => {
    const { client, server, time } = createHarness({ server: { maxTimeoutMs: 10_000 } });
    server.router.handle("hang", () => new Promise(() => undefined));
    const error = rejection(client.call("hang", none, { timeoutMs: 60_000 }));
    await time.advance(10_000);
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED", outcome: "unknown" });
    expect(String(await error)).toMatch(/passed while its handler ran/);
    expect(server.stats()).toMatchObject({ requestsTimedOut: 1, runningHandlers: 1 });
  });
});

describe("cancellation", () => {
  it("rejects with the signal's reason and aborts the handler's signal", async () => {
    const { client, server, caller, time } = createHarness();
    const seen = defer<AbortSignal>();
    const gate = defer<Uint8Array>();
    server.router.handle("hang", (_, context) => {
      seen.resolve(context.signal);
      return gate.promise;
    });
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    const error = rejection(client.call("hang", none, { signal: controller.signal }));
    await time.settle();
    controller.abort(reason);
    expect(await error).toBe(reason);
    await time.settle();
    expect((await seen.promise).reason).toMatchObject({ status: "CANCELLED" });
    expect(caller.stats()).toMatchObject({ callsCancelled: 1, pendingCalls: 0 });
    expect(server.stats()).toMatchObject({ requestsCancelled: 1, runningHandlers: 1 });
    gate.resolve(bytes("too late"));
    await time.settle();
    expect(server.stats()).toMatchObject({ lateResults: 1, runningHandlers: 0 });
    expect(caller.stats().lateResponses).toBe(0);
  });

  it("before the request has left sends nothing at all", async () => {
    const { client, server, near, time } = createHarness();
    const controller = new AbortController();
    const error = rejection(client.call("x", none, { signal: controller.signal }));
    controller.abort();
    expect(await error).toBe(controller.signal.reason);
    expect(await rejection(client.call("x", none, { signal: controller.signal }))).toBe(controller.signal.reason);
    await time.settle();
    expect(near.streams[0]?.written).toEqual([]);
    expect(server.stats().requestsReceived).toBe(0);
  });

  it("is seen by a handler that asks for its signal only afterwards", async () => {
    const { client, server, time } = createHarness();
    const gate = defer<void>();
    const aborted = defer<boolean>();
    server.router.handle("slow", async (payload, context) => {
      await gate.promise;
      aborted.resolve(context.signal.aborted);
      return payload;
    });
    const controller = new AbortController();
    const error = rejection(client.call("slow", none, { signal: controller.signal }));
    await time.settle();
    controller.abort();
    await error;
    await time.settle();
    gate.resolve();
    expect(await aborted.promise).toBe(true);
  });

  it("leaves no listener behind on a signal that many calls share", async () => {
    const { client, server, time } = createHarness();
    server.router.handle("echo", (payload) => payload);
    const controller = new AbortController();
    let listeners = 0;
    const { signal } = controller;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const calls = Promise.allSettled([
      ...Array.from({ length: 20 }, () => client.call("echo", none, { signal })),
      client.call("missing", none, { signal }),
    ]);
    expect(listeners).toBe(1);
    await time.settle();
    await calls;
    expect(listeners).toBe(0);
  });

  it("that crosses the answer drops the answer and counts it", async () => {
    const { client, server, caller, time } = createHarness();
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    const controller = new AbortController();
    const error = rejection(client.call("slow", none, { signal: controller.signal }));
    await time.settle();
    gate.resolve(bytes("answer"));
    await Promise.resolve();
    controller.abort();
    await error;
    await time.settle();
    expect(caller.stats().lateResponses).toBe(1);
    expect(server.stats()).toMatchObject({ requestsCancelled: 0, ignoredFrames: 0 });
    server.router.handle("echo", (payload) => payload);
    const next = client.call("echo", bytes("still fine"));
    await time.settle();
    expect(text(await next)).toBe("still fine");
  });
});

describe("isRpcError", () => {
  it("holds for what calls reject with", async () => {
    const { client, time } = createHarness();
    const error = rejection(client.call("nowhere", none));
    await time.settle();
    expect(isRpcError(await error, "OCTOPII_RPC_UNIMPLEMENTED")).toBe(true);
  });
});
