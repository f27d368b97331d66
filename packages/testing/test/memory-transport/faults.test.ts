import type { Connection, ConnectionClose, Stream } from "@octopii/interfaces";
import { describe, expect, test } from "vitest";
import { createSimulation, type SimulationOptions, type World } from "../../src/index.js";

interface Lab {
  readonly world: World;
  readonly client: Connection;
  readonly server: Connection;
  readonly received: number[];
  readonly streams: Stream[];
}

/** Two processes, connected; the server notes every byte in order. */
async function connect(options: SimulationOptions): Promise<Lab> {
  const world = createSimulation({ transport: { idleTimeoutMs: 1_000 }, ...options });
  const received: number[] = [];
  const streams: Stream[] = [];
  const accepted = new Promise<Connection>((resolve) => {
    const onConnection = (connection: Connection): void => {
      connection.onStream = (stream) => {
        streams.push(stream);
        stream.onReadable = () => {
          for (let chunk = stream.read(); chunk !== null; chunk = stream.read()) received.push(...chunk);
        };
      };
      resolve(connection);
    };
    void world.process("server").transport.listen({ address: "server:1", onConnection });
  });
  const client = await world.runUntilSettled(world.process("client").transport.connect("server:1", { timeoutMs: 60_000 }));
  return { world, client, server: await world.runUntilSettled(accepted), received, streams };
}

/** Watches a promise without waiting for it. */
function watch(closed: Promise<ConnectionClose>): () => ConnectionClose | null {
  let seen: ConnectionClose | null = null;
  void closed.then((close) => {
    seen = close;
  });
  return () => seen;
}

const NUMBERS = Array.from({ length: 200 }, (_, index) => index);

describe("streams over a bad network", () => {
  test("arrive complete and in order whatever is lost, doubled and overtaken", async () => {
    for (let seed = 0; seed < 20; seed += 1) {
      const network = { minDelayMs: 1, meanDelayMs: 20, lossPerMillion: 300_000, duplicatePerMillion: 300_000 };
      const { world, client, received } = await connect({ seed, network, transport: { idleTimeoutMs: 60_000 } });
      const stream = client.openStream("numbers");
      for (const number of NUMBERS) {
        stream.write(new Uint8Array([number]));
        await world.runFor(1);
      }
      await world.runUntil(() => received.length === NUMBERS.length, { withinMs: 60_000 });
      expect(received).toEqual(NUMBERS);
    }
  });

  test("streams of one connection overtake each other", async () => {
    const orders = new Set<string>();
    for (let seed = 0; seed < 20; seed += 1) {
      const { world, client, streams } = await connect({ seed, network: { meanDelayMs: 50 }, transport: { idleTimeoutMs: 60_000 } });
      for (const name of ["first", "second", "third"]) {
        client.openStream(name);
        await world.runFor(1);
      }
      await world.runUntil(() => streams.length === 3);
      orders.add(streams.map(({ protocol }) => protocol).join());
    }
    expect(orders.size).toBeGreaterThan(3);
  });

  test("a short partition only delays", async () => {
    const { world, client, received } = await connect({ seed: 1 });
    const stream = client.openStream("numbers");
    stream.write(new Uint8Array([1]));
    await world.runFor(50);
    const partition = world.network.partition(["client"], ["server"]);
    stream.write(new Uint8Array([2]));
    await world.runFor(500);
    expect(received).toEqual([1]);
    partition.heal();
    await world.runFor(2_000);
    expect(received).toEqual([1, 2]);
    expect(client.stats().openStreams).toBe(1);
  });

  test("a partition cuts what is in flight; a longer one than the idle timeout ends the connection at both ends", async () => {
    const { world, client, server, received } = await connect({ seed: 2, network: { minDelayMs: 20 } });
    const ends = [watch(client.closed), watch(server.closed)];
    const stream = client.openStream("numbers");
    const closes: unknown[] = [];
    stream.onClose = (close) => closes.push(close);
    stream.write(new Uint8Array([1]));
    await world.runFor(5);
    world.network.partition(["client"], ["server"]);
    await world.runFor(900);
    expect(ends.map((end) => end())).toEqual([null, null]);
    await world.runFor(600);
    expect(ends.map((end) => end()?.by)).toEqual(["timeout", "timeout"]);
    expect(closes).toEqual([{ error: { by: "connection", code: 0 } }]);
    expect(received).toEqual([]);
    world.network.heal();
    await world.runFor(5_000);
    expect(received).toEqual([]);
  });

  test("a one-way cut ends the connection too, first where nothing is heard", async () => {
    const { world, client, server } = await connect({ seed: 3 });
    const [clientEnd, serverEnd] = [watch(client.closed), watch(server.closed)];
    world.network.cut("client", "server");
    await world.runUntil(() => clientEnd() !== null || serverEnd() !== null);
    expect([clientEnd()?.by, serverEnd()?.by]).toEqual([undefined, "timeout"]);
    await world.runUntil(() => clientEnd() !== null, { withinMs: 3_000 });
    expect(clientEnd()?.by).toBe("timeout");
  });

  test("idle connections stay, and measure their round trip", async () => {
    const { world, client, server } = await connect({ seed: 4, network: { minDelayMs: 10, meanDelayMs: 0 } });
    const ends = [watch(client.closed), watch(server.closed)];
    await world.runFor(60_000);
    expect(ends.map((end) => end())).toEqual([null, null]);
    expect(client.stats().roundTripMs).toBeCloseTo(20, 0);
  });
});

describe("processes that come and go", () => {
  test("a crash is silent: the peer notices by the idle timeout", async () => {
    const { world, client, server } = await connect({ seed: 1 });
    const [clientEnd, serverEnd] = [watch(client.closed), watch(server.closed)];
    world.process("server").crash();
    await world.runFor(900);
    expect(clientEnd()).toBeNull();
    await world.runFor(10_000);
    expect(clientEnd()?.by).toBe("timeout");
    expect(serverEnd()).toBeNull();
  });

  test("a restarted process takes its address again and knows nothing of old connections", async () => {
    const { world, client, received } = await connect({ seed: 2 });
    const reborn = world.process("server").restart();
    let accepted = 0;
    await world.runUntilSettled(reborn.transport.listen({ address: "server:1", onConnection: () => (accepted += 1) }));
    client.openStream("numbers").write(new Uint8Array([1]));
    await world.runFor(500);
    expect([accepted, received.length]).toEqual([0, 0]);
    await world.runUntilSettled(world.process("client").transport.connect("server:1"));
    await world.runFor(10);
    expect(accepted).toBe(1);
  });

  test("connecting waits for a listener that comes late, and over a lossy network", async () => {
    for (let seed = 0; seed < 10; seed += 1) {
      const world = createSimulation({ seed, network: { lossPerMillion: 400_000 } });
      const connecting = world.process("client").transport.connect("server:1", { timeoutMs: 60_000 });
      await world.runFor(1_000);
      let accepted = 0;
      await world.process("server").transport.listen({ address: "server:1", onConnection: () => (accepted += 1) });
      const connection = await world.runUntilSettled(connecting);
      await world.runFor(2_000);
      expect(accepted).toBe(1);
      connection.close(0, "");
    }
  });

  test("nobody there: the attempt ends at its deadline, in virtual time", async () => {
    const world = createSimulation({ seed: 3 });
    const { transport } = world.process("client");
    await expect(world.runUntilSettled(transport.connect("server:1", { timeoutMs: 700 }))).rejects.toMatchObject({
      code: "OCTOPII_TESTING_CONNECT_TIMEOUT",
      outcome: "failed",
    });
    expect(world.now()).toBe(700);
    await expect(world.runUntilSettled(transport.connect("server:1", { timeoutMs: 0 }))).rejects.toThrow(RangeError);
    await expect(world.runUntilSettled(transport.connect("no port"))).rejects.toMatchObject({ code: "OCTOPII_TESTING_ADDRESS_INVALID" });
    await expect(transport.listen({ address: "elsewhere:1", onConnection: () => undefined })).rejects.toThrow(/use client:1/);
  });

  test("a paused peer is no dead peer if it wakes in time", async () => {
    const { world, client, received } = await connect({ seed: 5 });
    const stream = client.openStream("numbers");
    world.process("server").pause();
    stream.write(new Uint8Array([7]));
    await world.runFor(600);
    expect(received).toEqual([]);
    world.process("server").resume();
    await world.runFor(200);
    expect(received).toEqual([7]);
    expect(client.stats().openStreams).toBe(1);
  });
});
