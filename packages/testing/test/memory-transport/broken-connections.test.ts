import type { Connection, ConnectionClose, Stream, StreamClose } from "@octopii/interfaces";
import { expect, test } from "vitest";
import { createRandom, createSimulation, type World } from "../../src/index.js";

async function connected(
  seed = 5,
  meanDelayMs = 0.2,
): Promise<{ world: World; client: Connection; server: Connection; streams: Stream[] }> {
  const world = createSimulation({ seed, network: { meanDelayMs }, transport: { idleTimeoutMs: 1_000 } });
  const streams: Stream[] = [];
  const accepted = new Promise<Connection>((resolve) => {
    const onConnection = (connection: Connection): void => {
      connection.onStream = (stream) => streams.push(stream);
      resolve(connection);
    };
    void world.process("server").transport.listen({ address: "server:1", onConnection });
  });
  const client = await world.runUntilSettled(world.process("client").transport.connect("server:1"));
  return { world, client, server: await world.runUntilSettled(accepted), streams };
}

test("a stream that is reset by the stack ends at both ends, and its connection goes on", async () => {
  const { world, client, streams } = await connected();
  const stream = client.openStream("work");
  const closes: StreamClose[] = [];
  stream.onClose = (close) => closes.push(close);
  stream.write(new Uint8Array([1]));
  await world.runUntil(() => streams.length === 1);
  const [other] = streams;
  if (other !== undefined) other.onClose = (close) => closes.push(close);
  expect(world.process("client").resetStream(createRandom(1), 7)).toBe(true);
  await world.runUntil(() => closes.length === 2);
  // Which of the two the other end hears of first is the network's affair.
  expect(closes.map(({ error }) => [error?.code, error?.by === "local"]).sort()).toEqual([
    [7, false],
    [7, true],
  ]);
  expect(world.process("client").resetStream(createRandom(1))).toBe(false);
  client.openStream("more").write(new Uint8Array([2]));
  await world.runUntil(() => streams.length === 2);
});

test("a connection that is lost at one end is believed in at the other until it is silent for too long", async () => {
  const { world, client, server } = await connected();
  const ends: [string, ConnectionClose["by"]][] = [];
  void client.closed.then(({ by }) => ends.push(["client", by]));
  void server.closed.then(({ by }) => ends.push(["server", by]));
  expect(world.process("client").loseConnection(createRandom(1))).toBe(true);
  await world.runFor(500);
  expect(ends).toEqual([["client", "timeout"]]);
  await world.runFor(2_000);
  expect(ends).toEqual([
    ["client", "timeout"],
    ["server", "timeout"],
  ]);
  expect(world.process("client").loseConnection(createRandom(1))).toBe(false);
});

test("two machines that share a disk see the same files and the same locks, and die apart", async () => {
  const world = createSimulation({ seed: 6 });
  const owner = world.process("owner");
  const twin = world.process("twin");
  const shared = twin.mount(owner.disk);
  await world.runUntilSettled(owner.fileSystem.lock("/"));
  await expect(world.runUntilSettled(shared.lock("/"))).rejects.toMatchObject({ code: "ELOCKED" });
  await world.runUntilSettled(owner.fileSystem.open("/f", { mode: "create" }));
  await world.runUntilSettled(shared.open("/f", { mode: "read" }));
  expect(owner.disk.openFiles).toBe(2);
  twin.kill();
  expect(owner.disk.openFiles).toBe(1);
  owner.kill();
  expect(owner.disk.openFiles).toBe(0);
});

test("a stream that is given up at once ends at the other end too, whichever word of it comes first", async () => {
  for (let seed = 0; seed < 40; seed++) {
    const { world, client, streams } = await connected(seed, 20);
    let ended = 0;
    const stream = client.openStream("work");
    stream.write(new Uint8Array([1]));
    await world.runFor(0.01);
    stream.reset(1);
    stream.stop(1);
    await world.runUntil(() => streams.length === 1);
    const [other] = streams;
    if (other !== undefined) other.onClose = () => ended++;
    await world.runUntil(() => ended === 1, { withinMs: 5_000 });
  }
});
