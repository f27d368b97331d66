import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Connection, Stream } from "@octopii/interfaces";
import { afterEach, describe, expect, it } from "vitest";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { createQuicTransport, type QuicTransportOptions, type QuicTransportPorts } from "../src/index.js";
import { Nodes, portOf } from "./nodes.js";
import { RawClient } from "./raw-client.js";
import { echo, optionsOf, pattern, readAll, text, toText, until } from "./support.js";

const nodes = new Nodes();
const toClose: (() => unknown)[] = [];
const mebibyte = 1024 * 1024;
/** Garbage comes for so long: a moment in every run, a minute in the long one. */
const garbageMs = process.env.OCTOPII_TEST_LONG === undefined ? 1_000 : 60_000;

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

async function serving(options: Partial<QuicTransportOptions> = {}) {
  const { address } = await (await nodes.node(1, options)).listen({ address: "127.0.0.1:0", onConnection: echo });
  return { address, port: portOf(address) };
}

/** An honest node calls, and has its answer. */
async function expectService(address: string, id = 2): Promise<void> {
  const honest = await nodes.node(id, { connectTimeoutMs: 10_000 });
  const connection = await honest.connect(address);
  const stream = connection.openStream("p");
  stream.write(text("served"));
  stream.end();
  expect(toText(await readAll(stream))).toBe("served");
  await honest.close();
}

async function udpSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  toClose.push(() => socket.close());
  return socket;
}

const residentBytes = () => process.memoryUsage().rss;

/** Sockets that hear a Retry, so that their owner gets that far and no farther: each of its Initials makes the server begin a handshake. */
const deafAfterRetry: QuicTransportPorts = {
  sockets: {
    ...nodeUdpSockets,
    open: (options) =>
      nodeUdpSockets.open({
        ...options,
        onDatagram: (datagram, host, port) => {
          if (((datagram[0] ?? 0) & 0xf0) === 0xf0) options.onDatagram(datagram, host, port);
        },
      }),
  },
};

describe("a QUIC listener under abuse", () => {
  it("answers a flood of first packets by Retry alone, and remembers none of them", async () => {
    const { address, port } = await serving();
    const initial = pattern(1_200);
    initial.set([0xc3, 0, 0, 0, 1, 8, 1, 2, 3, 4, 5, 6, 7, 8, 8, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    const socket = await udpSocket();
    let retries = 0;
    socket.on("message", (answer) => {
      if (((answer[0] ?? 0) & 0xf0) === 0xf0) retries += 1;
    });
    const before = residentBytes();
    for (let i = 0; i < 20_000; i += 1) {
      initial.set([i >> 8, i], 6);
      socket.send(initial, port, "127.0.0.1");
      if (i % 100 === 99) await new Promise((resolve) => setImmediate(resolve));
    }
    await expectService(address);
    expect(retries).toBeGreaterThan(100);
    expect(residentBytes() - before).toBeLessThan(64 * mebibyte);
  });

  it("holds no more half-open handshakes than it may, and serves honest peers when their time is over", async () => {
    const { address } = await serving({ maxUnestablished: 8, handshakeTimeoutMs: 300 });
    const attackers = await Promise.all(Array.from({ length: 4 }, (_, i) => nodes.node(10 + i, {}, deafAfterRetry)));
    const before = residentBytes();
    const dials = attackers.flatMap((attacker) =>
      Array.from({ length: 50 }, () => attacker.connect(address, { timeoutMs: 1_500 }).catch((error: unknown) => error)),
    );
    await expectService(address);
    await Promise.all(dials);
    expect(residentBytes() - before).toBeLessThan(96 * mebibyte);
    await expectService(address, 3);
  });

  it("serves honest peers while garbage comes as fast as it can", async () => {
    const { address, port } = await serving();
    const socket = await udpSocket();
    const noise = pattern(64 * 1024, 9);
    let running = true;
    let sent = 0;
    const before = residentBytes();
    const flood = (async () => {
      while (running) {
        for (let i = 0; i < 32; i += 1) {
          const start = (sent * 97) % 60_000;
          socket.send(noise.subarray(start, start + 1_200 + (sent % 200)), port, "127.0.0.1");
          sent += 1;
        }
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const started = performance.now();
    let served = 0;
    while (performance.now() - started < garbageMs) {
      await expectService(address, 2 + (served % 3));
      served += 1;
    }
    running = false;
    await flood;
    expect(sent).toBeGreaterThan(1_000);
    expect(served).toBeGreaterThan(0);
    expect(residentBytes() - before).toBeLessThan(96 * mebibyte);
  }, 120_000);

  it("outlives a storm of connections that come and go", async () => {
    const { address } = await serving();
    const storming = await nodes.node(5);
    let before = 0;
    for (let round = 0; round < 6; round += 1) {
      // What the first round leaves in the engine's allocator is there for all that follow.
      if (round === 1) before = residentBytes();
      const connections = await Promise.all(Array.from({ length: 30 }, () => storming.connect(address)));
      for (const connection of connections) connection.close(0, "");
      await Promise.all(connections.map(({ closed }) => closed));
    }
    expect(residentBytes() - before).toBeLessThan(96 * mebibyte);
    await expectService(address);
  });

  it("hears peers out that send a byte at a time on many streams, and serves the others meanwhile", async () => {
    const { address } = await serving();
    const slow = await (await nodes.node(6)).connect(address);
    const streams = Array.from({ length: 200 }, () => slow.openStream("slow"));
    const before = residentBytes();
    const drip = setInterval(() => {
      for (const stream of streams) stream.write(Uint8Array.of(1));
    }, 20);
    toClose.push(() => clearInterval(drip));
    for (const id of [2, 3, 4]) await expectService(address, id);
    expect(residentBytes() - before).toBeLessThan(64 * mebibyte);
    clearInterval(drip);
    for (const stream of streams) stream.end();
    for (const stream of streams) expect((await readAll(stream)).length).toBeGreaterThan(0);
  });

  it("gives a dialer up that sends its handshake a datagram at a time and too slowly", async () => {
    const { address } = await serving({ handshakeTimeoutMs: 300, maxUnestablished: 4 });
    // Each datagram of the dialer leaves half a second after it was made: alive for the engine's idle timer, too late for ours.
    const late: QuicTransportPorts = {
      sockets: {
        ...nodeUdpSockets,
        open: async (options) => {
          const socket = await nodeUdpSockets.open(options);
          const send: typeof socket.send = (buffer, length, host, port) => {
            const copy = buffer.slice(0, length);
            socket.giveBack(buffer);
            setTimeout(() => {
              const again = socket.take();
              again?.set(copy);
              if (again !== null) socket.send(again, length, host, port);
            }, 500).unref();
          };
          return {
            host: socket.host,
            port: socket.port,
            send,
            take: () => socket.take(),
            giveBack: (b) => socket.giveBack(b),
            close: () => socket.close(),
          };
        },
      },
    };
    const slow = await nodes.node(7, { connectTimeoutMs: 2_500 }, late);
    const dials = Array.from({ length: 8 }, () =>
      slow.connect(address).then(
        () => "connected",
        () => "given up",
      ),
    );
    await expectService(address, 2);
    expect(await Promise.all(dials)).toEqual(Array.from({ length: 8 }, () => "given up"));
    await expectService(address, 3);
  });

  it("holds no more of streams that nobody reads than their windows", async () => {
    const held: Stream[] = [];
    const server = await nodes.node(1, { streamWindowBytes: 64 * 1024, connectionWindowBytes: mebibyte });
    const { address } = await server.listen({
      address: "127.0.0.1:0",
      onConnection: (connection) => {
        connection.onStream = (stream) => held.push(stream);
      },
    });
    const client = createQuicTransport({ ...(await optionsOf(nodes.cluster, 2)), sendBufferBytes: 64 * 1024 });
    toClose.push(() => client.close());
    const connection = await client.connect(address);
    const before = residentBytes();
    const piece = new Uint8Array(16 * 1024);
    const streams = Array.from({ length: 100 }, () => connection.openStream("unread"));
    for (const stream of streams) while (stream.write(piece));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(held.length).toBeGreaterThan(10);
    expect(residentBytes() - before).toBeLessThan(96 * mebibyte);
    // The window is for the connection: another peer has one of its own.
    const other = await (await nodes.node(3)).connect(address);
    other.openStream("mine").write(text("x"));
    await until(() => held.some(({ protocol }) => protocol === "mine"));
  });

  it("waits for credit that never comes without holding more than the send buffer", async () => {
    const accepted: Connection[] = [];
    const server = await nodes.node(1, { sendBufferBytes: 65_536 });
    const { address } = await server.listen({ address: "127.0.0.1:0", onConnection: (connection) => accepted.push(connection) });
    const client = await RawClient.open(address, (await optionsOf(nodes.cluster, 9)).credentials);
    toClose.push(() => client.stop());
    // Its control stream gives no credit for streams at all.
    client.send(2, [1, 1, 0, 0]);
    await until(() => accepted.length === 1);
    const stream = accepted[0]?.openStream("starved");
    let taken = 0;
    while (stream?.write(new Uint8Array(16_384)) === true) taken += 16_384;
    expect(taken).toBeLessThanOrEqual(65_536);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(client.engine.readableStreams()).toEqual([3]);
    await expectService((await serving()).address, 3);
  });

  it("loses datagrams that the system will not send, and no more than those", async () => {
    let refuse = 0;
    const failing: QuicTransportPorts = {
      sockets: {
        ...nodeUdpSockets,
        open: async (options) => {
          const socket = await nodeUdpSockets.open(options);
          const send: typeof socket.send = (buffer, length, host, port) => {
            refuse += 1;
            // Port 0 and an address that no route leads to: errors at once, and errors later.
            if (refuse % 4 === 0) socket.send(buffer, length, host, refuse % 8 === 0 ? 0 : 65_536);
            else socket.send(buffer, length, host, port);
          };
          return {
            host: socket.host,
            port: socket.port,
            send,
            take: () => socket.take(),
            giveBack: (b) => socket.giveBack(b),
            close: () => socket.close(),
          };
        },
      },
    };
    const { address } = await serving();
    const dialer = await nodes.node(2, { connectTimeoutMs: 20_000 }, failing);
    const connection = await dialer.connect(address);
    const stream = connection.openStream("p");
    stream.write(pattern(200_000));
    stream.end();
    expect(Buffer.compare(await readAll(stream), pattern(200_000))).toBe(0);
    expect(refuse).toBeGreaterThan(20);
  });
});
