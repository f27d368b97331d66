import type { Connection } from "@octopii/interfaces";
import { createSimulation, type LinkOptions, type World } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { createRpc, isRpcError, type Rpc, type RpcClient, textCodec } from "../src/index.js";
import { rejection } from "./support/harness.js";

/** What the tests of Octopii in Rust do to transport and RPC, at their numbers and above, over a network that loses, doubles and delays. */

const bytes = (text: string): Uint8Array => textCodec.encode(text);
const text = (payload: Uint8Array): string => textCodec.decode(payload);

interface Station {
  readonly rpc: Rpc;
  readonly accepted: Connection[];
}

/** A server at `server:1`. */
async function serve(world: World): Promise<Station> {
  const { transport, clock, scheduler } = world.process("server");
  const rpc = createRpc({ clock, scheduler });
  const accepted: Connection[] = [];
  const onConnection = (connection: Connection): void => {
    accepted.push(connection);
    rpc.serve(connection);
  };
  await world.runUntilSettled(transport.listen({ address: "server:1", onConnection }));
  return { rpc, accepted };
}

async function connect(world: World, name: string): Promise<RpcClient> {
  const { transport, clock, scheduler } = world.process(name);
  const rpc = createRpc({ clock, scheduler });
  return rpc.client(await transport.connect("server:1", { timeoutMs: 60_000 }));
}

describe("transport and RPC, as Octopii tests them", () => {
  it("carry any number of calls on one connection, which is accepted once", async () => {
    const world = createSimulation({ seed: 1 });
    const { rpc, accepted } = await serve(world);
    rpc.router.handle("echo", (payload) => payload);
    const client = await world.runUntilSettled(connect(world, "client"));
    for (let i = 0; i < 50; i++) expect(text(await world.runUntilSettled(client.call("echo", bytes(`${i}`))))).toBe(`${i}`);
    expect(accepted).toHaveLength(1);
  });

  it("time out after 300 ms where the handler does not answer, and recover: later calls are answered, the late answer is nobody's", async () => {
    const world = createSimulation({ seed: 2 });
    const { rpc } = await serve(world);
    let isSlow = true;
    rpc.router.handle("work", async (payload) => {
      if (isSlow) await new Promise<void>((resolve) => world.process("server").scheduler.setTimer(1_000, resolve));
      return payload;
    });
    const client = await world.runUntilSettled(connect(world, "client"));
    const startedAt = world.now();
    const late = await world.runUntilSettled(rejection(client.call("work", bytes("slow"), { timeoutMs: 300 })));
    expect(late).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED", outcome: "unknown" });
    expect(world.now() - startedAt).toBeGreaterThanOrEqual(300);
    expect(world.now() - startedAt).toBeLessThan(310);
    isSlow = false;
    expect(text(await world.runUntilSettled(client.call("work", bytes("quick"), { timeoutMs: 300 })))).toBe("quick");
    await world.runFor(1_500);
    expect(text(await world.runUntilSettled(client.call("work", bytes("after the late answer"))))).toBe("after the late answer");
  });

  it("deliver one-way messages to their handler, with who sent them", async () => {
    const world = createSimulation({ seed: 3 });
    const { rpc } = await serve(world);
    const heard: string[] = [];
    rpc.router.onOneWay("heartbeat", (payload, { peer }) => void heard.push(`${peer.name}: ${text(payload)}`));
    const client = await world.runUntilSettled(connect(world, "client"));
    for (let i = 0; i < 100; i++) expect(client.notify("heartbeat", bytes(`${i}`))).toBe(true);
    await world.runUntil(() => heard.length === 100);
    expect(heard).toEqual(Array.from({ length: 100 }, (_, i) => `client: ${i}`));
  });

  it("answer 1,000 calls while one is stuck, on the same connection", async () => {
    const world = createSimulation({ seed: 4 });
    const { rpc } = await serve(world);
    rpc.router.handle("stuck", () => new Promise<never>(() => undefined));
    rpc.router.handle("echo", (payload) => payload);
    const client = await world.runUntilSettled(connect(world, "client"));
    const stuck = rejection(client.call("stuck", bytes(""), { timeoutMs: 5_000 }));
    const calls = Array.from({ length: 1_000 }, (_, i) => client.call("echo", bytes(`${i}`), { timeoutMs: 1_000 }));
    expect((await world.runUntilSettled(Promise.all(calls))).map(text)).toEqual(Array.from({ length: 1_000 }, (_, i) => `${i}`));
    expect(await world.runUntilSettled(stuck)).toMatchObject({ code: "OCTOPII_RPC_DEADLINE_EXCEEDED" });
  });
});

/** One call of the storm, and what became of it. */
interface Outcome {
  readonly id: string;
  readonly outcome: "answered" | "failed" | "unknown";
}

/** 8 clients × 30 calls, 20 % of all messages lost, every tenth call ending in a cut, and a handler that comes and goes. */
async function storm(seed: number, network: LinkOptions): Promise<{ outcomes: Outcome[]; executed: Map<string, number>; rpc: Rpc }> {
  const world = createSimulation({ seed, network, transport: { idleTimeoutMs: 2_000 } });
  const { rpc, accepted } = await serve(world);
  const executed = new Map<string, number>();
  const handler = (payload: Uint8Array): Uint8Array => {
    const id = text(payload);
    executed.set(id, (executed.get(id) ?? 0) + 1);
    return payload;
  };
  const { scheduler } = world.process("server");
  let isOver = false;
  let isThere = false;
  const flap = (): void => {
    if (isThere) rpc.router.remove("work");
    else rpc.router.handle("work", handler);
    isThere = !isThere;
    if (!isOver) scheduler.setTimer(isThere ? 40 : 10, flap);
  };
  flap();
  const outcomes: Outcome[] = [];
  const run = async (name: string): Promise<void> => {
    let client = await connect(world, name);
    for (let i = 0; i < 30; i++) {
      const id = `${name}/${i}`;
      const call = client.call("work", bytes(id), { timeoutMs: 300 });
      if (i % 10 === 9) accepted[i % accepted.length]?.close(1, "dropped on purpose");
      const outcome = await call.then(
        (answer) => (text(answer) === id ? ("answered" as const) : "unknown"),
        (error: unknown) => (isRpcError(error) ? error.outcome : "unknown"),
      );
      outcomes.push({ id, outcome });
      if (outcome !== "answered") {
        client.connection.close(0, "again");
        client = await connect(world, `${name}-${i}`);
      }
    }
  };
  const clients = Array.from({ length: 8 }, (_, i) => run(`client-${i}`));
  await world.runUntilSettled(Promise.all(clients), { withinMs: 600_000, maxEvents: 5_000_000 });
  isOver = true;
  await world.runFor(5_000);
  return { outcomes, executed, rpc };
}

describe("a storm of 8 × 30 calls", () => {
  it.each([1, 2, 3])(
    "with a fifth lost, cuts and a handler that comes and goes: each call ends, and as it says (seed %i)",
    async (seed) => {
      const { outcomes, executed, rpc } = await storm(seed, {
        minDelayMs: 1,
        meanDelayMs: 5,
        lossPerMillion: 200_000,
        duplicatePerMillion: 50_000,
      });
      expect(outcomes).toHaveLength(240);
      const answered = outcomes.filter(({ outcome }) => outcome === "answered");
      expect(answered.length).toBeGreaterThanOrEqual(50);
      for (const { id } of answered) expect(executed.get(id)).toBe(1);
      for (const { id, outcome } of outcomes) if (outcome === "failed") expect(executed.get(id)).toBeUndefined();
      for (const times of executed.values()) expect(times).toBe(1);
      expect(new Set(outcomes.map(({ outcome }) => outcome)).size).toBeGreaterThan(1);
      expect(rpc.stats()).toMatchObject({ runningHandlers: 0, malformedStreams: 0 });
    },
  );
});
