import type { Connection, PeerIdentity } from "@octopii/interfaces";
import { systemClock, systemScheduler } from "@octopii/system";
import { createMemoryNetwork, createMemoryTransport } from "@octopii/testing";
import { afterEach, describe, expect, it } from "vitest";
import { cborCodec, createRpc, defineMethod, defineOneWay, RpcError, textCodec } from "../src/index.js";
import { rejection } from "./support/harness.js";

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const identity = (name: string, nodeId: number | null): PeerIdentity => ({ name, cluster: "test", nodeId });

/** Two endpoints on two transports that really queue, window and schedule. */
async function connectPair() {
  const network = createMemoryNetwork(systemScheduler, systemClock);
  const serverTransport = createMemoryTransport(network, { identity: identity("server", 1) });
  const clientTransport = createMemoryTransport(network, { identity: identity("visitor", null) });
  const server = createRpc();
  const caller = createRpc();
  const accepted: Connection[] = [];
  const listener = await serverTransport.listen({
    address: "localhost:0",
    onConnection: (connection) => {
      accepted.push(connection);
      server.serve(connection);
    },
  });
  const connection = await clientTransport.connect(listener.address);
  cleanups.push(
    () => serverTransport.close(),
    () => clientTransport.close(),
    () => server.close({ timeoutMs: 100 }),
    () => caller.close({ timeoutMs: 100 }),
  );
  return { server, caller, connection, client: caller.client(connection), accepted };
}

describe("over a transport", () => {
  it("typed calls, errors and one-way messages work as the README shows", async () => {
    const { server, client } = await connectPair();
    const greet = defineMethod("greeter.greet", {
      request: cborCodec<{ name: string }>(),
      response: cborCodec<{ text: string; from: string }>(),
    });
    const heard: string[] = [];
    server.router.handle(greet, ({ name }, context) => {
      if (name === "") throw new RpcError("INVALID_ARGUMENT", "A name is needed.", { outcome: "failed" });
      return { text: `Hello, ${name}!`, from: context.peer.name };
    });
    const told = new Promise<void>((resolve) => {
      server.router.onOneWay(defineOneWay("log", textCodec), (line) => {
        heard.push(line);
        resolve();
      });
    });
    expect(await client.call(greet, { name: "Ada" }, { timeoutMs: 1_000 })).toEqual({ text: "Hello, Ada!", from: "visitor" });
    expect(await rejection(client.call(greet, { name: "" }))).toMatchObject({ code: "OCTOPII_RPC_INVALID_ARGUMENT", outcome: "failed" });
    expect(client.notify(defineOneWay("log", textCodec), "done")).toBe(true);
    await told;
    expect(heard).toEqual(["done"]);
  });

  it("many calls at once, with payloads far beyond every window, come back whole", async () => {
    const { server, caller, client } = await connectPair();
    server.router.handle("echo", (payload) => payload);
    const sizes = Array.from({ length: 400 }, (_, index) => (index % 40 === 0 ? 1_000_000 : index * 7));
    const payloads = sizes.map((size, index) => new Uint8Array(size).fill(index));
    const answers = await Promise.all(payloads.map((payload) => client.call("echo", payload)));
    for (const [index, answer] of answers.entries()) {
      expect(answer.length).toBe(sizes[index]);
      expect(answer.every((byte) => byte === index % 256)).toBe(true);
    }
    expect(caller.stats()).toMatchObject({ callsSucceeded: 400, pendingCalls: 0, queuedBytes: 0 });
    expect(server.stats()).toMatchObject({ requestsReceived: 400, runningHandlers: 0, queuedBytes: 0 });
  });

  it("a deadline, an abort and a lost connection each end their call", async () => {
    const { server, caller, client, accepted } = await connectPair();
    server.router.handle(
      "hang",
      (_, { signal }) => new Promise((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason))),
    );
    const nothing = new Uint8Array(0);
    expect(await rejection(client.call("hang", nothing, { timeoutMs: 20 }))).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED" });
    const controller = new AbortController();
    const aborted = rejection(client.call("hang", nothing, { signal: controller.signal }));
    controller.abort(new Error("enough"));
    expect(await aborted).toMatchObject({ message: "enough" });
    const lost = rejection(client.call("hang", nothing));
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(server.stats().runningHandlers).toBe(1);
    accepted[0]?.close(3, "on purpose");
    expect(await lost).toMatchObject({ code: "OCTOPII_RPC_UNAVAILABLE", outcome: "unknown" });
    expect(caller.stats()).toMatchObject({ pendingCalls: 0, openStreams: 0 });
    await server.close();
    expect(server.stats().runningHandlers).toBe(0);
  });

  it("closing both ends leaves nothing open", async () => {
    const { server, caller, client, connection } = await connectPair();
    server.router.handle("echo", (payload) => payload);
    await client.call("echo", new Uint8Array(1));
    await client.close();
    await server.close();
    await caller.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(caller.stats().openStreams).toBe(0);
    expect(server.stats().openStreams).toBe(0);
    expect(connection.stats().openStreams).toBe(0);
  });
});
