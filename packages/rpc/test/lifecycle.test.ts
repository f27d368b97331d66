import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRpc, rpcStreamCodes } from "../src/index.js";
import { bytes, createHarness, defer, drainBytes, openRawStream, rejection, text } from "./support/harness.js";

const none = new Uint8Array(0);
const frame = (...body: number[]) => new Uint8Array([body.length, 0, 0, 0, ...body]);

describe("when the connection is lost", () => {
  it("calls settle with what is known of their outcome, and handlers are aborted", async () => {
    const { client, server, caller, near, time } = createHarness();
    let signal: AbortSignal | undefined;
    server.router.handle("hang", (_, context) => {
      signal = context.signal;
      return new Promise(() => undefined);
    });
    const sent = rejection(client.call("hang", none));
    await time.settle();
    const unsent = rejection(client.call("hang", none));
    near.close(7, "going away");
    await time.settle();
    expect(await sent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "unknown", method: "hang" });
    expect(await unsent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    expect(signal?.reason).toMatchObject({ status: "CANCELLED" });
    expect(caller.stats()).toMatchObject({ pendingCalls: 0, openStreams: 0, queuedBytes: 0, callsFailed: 2 });
    expect(server.stats()).toMatchObject({ openStreams: 0, queuedBytes: 0 });
  });

  it("later calls fail at once and say why, messages are not taken, and close is quick", async () => {
    const { client, near, time } = createHarness();
    near.close(0, "maintenance");
    await time.settle();
    const error = await rejection(client.call("x", none));
    expect(error).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    expect(String(error)).toMatch(/closed by local \(maintenance\)/);
    expect(client.notify("x", none)).toBe(false);
    await client.close();
  });

  it("no timer keeps the process alive", async () => {
    const { client, server, near, time } = createHarness();
    server.router.handle("echo", (payload) => payload);
    const answer = client.call("echo", none);
    await time.settle();
    await answer;
    expect(time.liveTimers).toBe(2);
    near.close(0, "");
    await time.settle();
    expect(time.liveTimers).toBe(0);
  });

  it("a handler that goes on all the same gives its slot back when it settles, and its answer is dropped", async () => {
    const { client, server, near, time } = createHarness();
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    const error = rejection(client.call("slow", none));
    await time.settle();
    near.close(0, "");
    await time.settle();
    await error;
    expect(server.stats().runningHandlers).toBe(1);
    gate.resolve(none);
    await time.settle();
    expect(server.stats()).toMatchObject({ runningHandlers: 0, lateResults: 1, handlersFailed: 0 });
  });
});

describe("when only the stream is lost", () => {
  it("pending calls settle, and the next call opens another", async () => {
    const { client, server, far, near, time } = createHarness();
    server.router.handle("hang", () => new Promise(() => undefined));
    server.router.handle("echo", (payload) => payload);
    const pending = rejection(client.call("hang", none));
    await time.settle();
    far.streams[0]?.reset(55);
    far.streams[0]?.stop(55);
    await time.settle();
    expect(String(await pending)).toMatch(/code 55/);
    expect(await pending).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "unknown" });
    const next = client.call("echo", bytes("again"));
    await time.settle();
    expect(text(await next)).toBe("again");
    expect(near.streams).toHaveLength(2);
  });

  it("a stream that takes no more bytes fails what is pending, without doubt for what it did not take", async () => {
    const { client, server, caller, near, time } = createHarness();
    server.router.handle("hang", () => new Promise(() => undefined));
    const sent = rejection(client.call("hang", none));
    await time.settle();
    const stream = near.streams[0];
    if (stream === undefined) throw new Error("No stream was opened.");
    stream.write = () => {
      throw new Error("over its limit");
    };
    const unsent = rejection(client.call("hang", none));
    await time.settle();
    expect(await sent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "unknown" });
    expect(await unsent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    expect(String(await unsent)).toMatch(/did not take bytes: over its limit/);
    expect(caller.stats()).toMatchObject({ pendingCalls: 0, openStreams: 0, queuedBytes: 0 });
  });

  it("a peer that refuses the protocol makes calls fail, not wait", async () => {
    const { client, far, time } = createHarness();
    far.onStream = null;
    const error = rejection(client.call("x", none));
    await time.settle();
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE" });
  });

  it("a peer that ends its side fails what is pending and no more", async () => {
    const { client, server, far, time } = createHarness();
    far.onStream = (stream) => stream.end();
    const unsent = rejection(client.call("x", none));
    await time.settle();
    expect(await unsent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    far.onStream = (stream) => {
      stream.onReadable = () => stream.end();
    };
    const sent = rejection(client.call("x", none));
    await time.settle();
    expect(await sent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "unknown" });
    server.serve(far);
    server.router.handle("echo", (payload) => payload);
    const next = client.call("echo", bytes("again"));
    await time.settle();
    expect(text(await next)).toBe("again");
  });
});

describe("close", () => {
  it("of an endpoint lets running handlers finish and refuses new requests without doubt", async () => {
    const { client, server, time } = createHarness();
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    const running = client.call("slow", none);
    await time.settle();
    const closing = server.close();
    let closed = false;
    void closing.then(() => {
      closed = true;
    });
    const refused = rejection(client.call("slow", none));
    await time.settle();
    expect(await refused).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    expect(closed).toBe(false);
    gate.resolve(bytes("finished"));
    await time.settle();
    expect(text(await running)).toBe("finished");
    await closing;
    await server.close();
    expect(server.stats()).toMatchObject({ openStreams: 0, runningHandlers: 0 });
  });

  it("of an endpoint aborts what is not done in time, and tells the callers", async () => {
    const { client, server, time } = createHarness();
    let signal: AbortSignal | undefined;
    server.router.handle("hang", (_, context) => {
      signal = context.signal;
      return new Promise(() => undefined);
    });
    const error = rejection(client.call("hang", none));
    await time.settle();
    const closing = server.close({ timeoutMs: 300 });
    await time.advance(299);
    expect(signal?.aborted).toBe(false);
    await time.advance(1);
    await closing;
    expect(await error).toMatchObject({
      code: "OCTOPII_RPC_UNAVAILABLE",
      outcome: "unknown",
      message: "This side closed while the handler ran.",
    });
    expect(signal?.reason).toMatchObject({ status: "UNAVAILABLE" });
    expect(server.stats().openStreams).toBe(0);
  });

  it("of an endpoint closes its clients after its handlers, since those may need them", async () => {
    const { client, server, caller, near, time } = createHarness();
    caller.serve(near);
    const gate = defer<void>();
    caller.router.handle("name", () => bytes("near"));
    server.router.handle("ask-back", async (_, context) => {
      const back = server.client(context.connection);
      await gate.promise;
      return back.call("name", none);
    });
    const answer = client.call("ask-back", none);
    await time.settle();
    const closing = server.close();
    gate.resolve();
    await time.settle();
    await closing;
    expect(text(await answer)).toBe("near");
  });

  it("of a client waits for its pending calls and refuses new ones", async () => {
    const { client, server, caller, time } = createHarness();
    const gate = defer<Uint8Array>();
    server.router.handle("slow", () => gate.promise);
    const running = client.call("slow", none);
    await time.settle();
    const closing = client.close();
    expect(await rejection(client.call("slow", none))).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    expect(client.notify("x", none)).toBe(false);
    gate.resolve(bytes("done"));
    await time.settle();
    await closing;
    expect(text(await running)).toBe("done");
    await time.settle();
    expect(caller.stats().openStreams).toBe(0);
    expect(server.stats().openStreams).toBe(0);
    expect(time.liveTimers).toBe(0);
  });

  it("of a client gives up what is not answered in time, and the handler hears of it", async () => {
    const { client, server, time } = createHarness();
    let signal: AbortSignal | undefined;
    server.router.handle("hang", (_, context) => {
      signal = context.signal;
      return new Promise(() => undefined);
    });
    const sent = rejection(client.call("hang", none));
    await time.settle();
    const unsent = rejection(client.call("hang", none));
    await client.close({ timeoutMs: 0 });
    await time.settle();
    expect(await sent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "unknown" });
    expect(await unsent).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    expect(signal?.reason).toMatchObject({ status: "CANCELLED" });
    expect(server.stats().requestsReceived).toBe(1);
  });

  it("leaves an endpoint that refuses everything with a reason", async () => {
    const { server, caller, near, far, time } = createHarness();
    await Promise.all([server.close(), caller.close()]);
    expect(await rejection(caller.client(near).call("x", none))).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "failed" });
    const other = createRpc({ clock: time, scheduler: time }).client(near);
    const error = rejection(other.call("x", none));
    await time.settle();
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE" });
    expect(far.streams[0]?.closeError).toMatchObject({ code: rpcStreamCodes.closed });
    expect(await rejection(server.close({ timeoutMs: -1 }))).toBeInstanceOf(RangeError);
    await server[Symbol.asyncDispose]();
  });
});

describe("streams of other protocols", () => {
  it("are left to their owner by acceptStream, and refused by serve", async () => {
    const { server, near, far, time } = createHarness();
    const stream = near.openStream("octopii/raft/1");
    await time.settle();
    expect(stream.over).toBe(true);
    far.onStream = null;
    const untouched = near.openStream("octopii/lane/1");
    const end = far.streams.at(-1);
    if (end === undefined) throw new Error("No stream was opened.");
    expect(server.acceptStream(end, far)).toBe(false);
    expect(end.onReadable).toBeNull();
    expect(untouched.over).toBe(false);
  });
});

describe("a peer that breaks the protocol", () => {
  it.each([
    ["a frame without a method", frame(0x11, 0, 0, 0, 1, 0, 0, 0, 9, 0, 0, 0), rpcStreamCodes.malformedFrame],
    ["a method name beyond its frame", frame(0x12, 0, 9, 0, 0, 0, 0, 0, 0x61), rpcStreamCodes.malformedFrame],
    ["a request without an id", frame(0x11, 0, 1, 0, 0, 0, 0, 0, 9, 0, 0, 0, 0x61), rpcStreamCodes.malformedFrame],
    ["metadata beyond its frame", frame(0x12, 1, 1, 0, 0, 0, 0, 0, 0x61, 9, 0), rpcStreamCodes.malformedFrame],
    ["another version", frame(0x21, 0, 0, 0, 0, 0, 0, 0), rpcStreamCodes.unsupportedVersion],
    ["a huge frame", new Uint8Array([0xff, 0xff, 0xff, 0xff]), rpcStreamCodes.frameTooLarge],
  ])("by %s has its stream reset with a code; the others go on", async (_, bytesSent, code) => {
    const { client, server, near, time, log } = createHarness();
    server.router.handle("echo", (payload) => payload);
    const raw = openRawStream(near);
    raw.write(bytesSent);
    await time.settle();
    expect(raw.closeError).toMatchObject({ code });
    expect(log.filter(({ level }) => level === "warn")).toHaveLength(1);
    expect(server.stats()).toMatchObject({ malformedStreams: 1, openStreams: 0, requestsReceived: 0 });
    const answer = client.call("echo", bytes("fine"));
    await time.settle();
    expect(text(await answer)).toBe("fine");
  });

  it("by ending within a frame has its stream reset", async () => {
    const { near, server, time } = createHarness();
    const raw = openRawStream(near);
    raw.write(new Uint8Array([20, 0, 0]));
    raw.end();
    await time.settle();
    expect(raw.closeError).toMatchObject({ code: rpcStreamCodes.malformedFrame });
    expect(server.stats().malformedStreams).toBe(1);
  });

  it("as a server has its stream reset, and the calls on it settle", async () => {
    const { client, far, caller, time } = createHarness();
    far.onStream = (stream) => {
      stream.onReadable = () => void stream.write(frame(0x14, 0, 5, 0, 1, 0, 0, 0, 99));
    };
    const error = rejection(client.call("x", none));
    await time.settle();
    expect(await error).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "unknown" });
    expect(caller.stats()).toMatchObject({ malformedStreams: 1, pendingCalls: 0, openStreams: 0 });
  });

  it("by frames of unknown type, wrong direction or a used id is ignored and counted", async () => {
    const { near, server, time } = createHarness();
    const gate = defer<Uint8Array>();
    let runs = 0;
    server.router.handle("a", () => {
      runs += 1;
      return gate.promise;
    });
    const raw = openRawStream(near);
    const request = frame(0x11, 0, 1, 0, 5, 0, 0, 0, 0xff, 0, 0, 0, 0x61);
    raw.write(request);
    raw.write(request);
    raw.write(frame(0x1f, 0, 0, 0, 1, 0, 0, 0));
    raw.write(frame(0x13, 0, 0, 0, 5, 0, 0, 0));
    raw.write(frame(0x15, 0, 0, 0, 77, 0, 0, 0));
    await time.settle();
    expect(runs).toBe(1);
    expect(server.stats()).toMatchObject({ requestsReceived: 1, ignoredFrames: 3, malformedStreams: 0 });
    gate.resolve(bytes("k"));
    await time.settle();
    expect([...drainBytes(raw)]).toEqual([9, 0, 0, 0, 0x13, 0, 0, 0, 5, 0, 0, 0, 0x6b]);
  });

  it("by a request with a flag from the future gets UNIMPLEMENTED for that request", async () => {
    const { near, server, time } = createHarness();
    server.router.handle("a", (payload) => payload);
    const raw = openRawStream(near);
    raw.write(frame(0x11, 0x80, 1, 0, 5, 0, 0, 0, 0xff, 0, 0, 0, 0x61));
    await time.settle();
    const answer = drainBytes(raw);
    expect([...answer.slice(4, 12)]).toEqual([0x14, 2, 12, 0, 5, 0, 0, 0]);
    expect(server.stats()).toMatchObject({ requestsRefused: 1, malformedStreams: 0 });
  });

  it("by answers to calls that were never made or not yet sent is ignored and counted", async () => {
    const { client, far, caller, time } = createHarness();
    const answer = (id: number) => frame(0x13, 0, 0, 0, id, 0, 0, 0, 0x6b);
    far.onStream = (stream) => {
      // The first call is made but has not left: this cannot be its answer.
      stream.write(answer(1));
      stream.onReadable = () => {
        for (const id of [1, 1, 2, 0]) stream.write(answer(id));
      };
    };
    const call = client.call("x", none);
    await time.settle();
    expect(text(await call)).toBe("k");
    expect(caller.stats()).toMatchObject({ callsSucceeded: 1, lateResponses: 1, ignoredFrames: 3, pendingCalls: 0 });
  });

  it("cannot make either side throw, whatever it sends", async () => {
    const head = fc.tuple(fc.constantFrom(0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x21), fc.nat(3), fc.nat(4), fc.constant(0), fc.nat(3));
    const body = fc.array(fc.constantFrom(0, 1, 0x61, 0xff), { maxLength: 24 });
    const plausible = fc.tuple(head, body).map(([fields, rest]) => frame(...fields, 0, 0, 0, ...rest));
    const chunk = fc.oneof(plausible, plausible, fc.uint8Array({ maxLength: 30 }));
    await fc.assert(
      fc.asyncProperty(fc.array(chunk, { maxLength: 12 }), async (chunks) => {
        const { client, server, caller, near, far, time } = createHarness();
        server.router.handle("a", (payload) => payload);
        server.router.onOneWay("a", () => Promise.reject(new Error("on purpose")));
        const raw = openRawStream(near);
        for (const bytesSent of chunks) raw.write(bytesSent);
        await time.settle();
        far.onStream = (stream) => {
          stream.onReadable = () => {
            stream.onReadable = null;
            for (const bytesSent of chunks) stream.write(bytesSent);
          };
        };
        const calls = Promise.allSettled([client.call("x", none), client.call("y", none)]);
        await time.settle();
        near.close(0, "");
        await time.settle();
        await calls;
        expect(caller.stats()).toMatchObject({ pendingCalls: 0, openStreams: 0, queuedBytes: 0 });
        expect(server.stats()).toMatchObject({ openStreams: 0, queuedBytes: 0, runningHandlers: 0 });
      }),
      { numRuns: 150 },
    );
  });
});
