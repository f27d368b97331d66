import { connect as connectTcp, type Socket } from "node:net";
import type { Connection, Stream } from "@octopii/interfaces";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { parseAddress } from "../src/address.js";
import { createTcpTransport, type TcpTransportOptions } from "../src/index.js";
import { encodeOpen, frameTypes } from "../src/wire/frame.js";
import { frame, RawPeer } from "./raw-peer.js";
import { type Cluster, collectingLogger, createCluster, echo, optionsOf, readAll, text, toText, until } from "./support.js";

let cluster: Cluster;
const logger = collectingLogger();
const toClose: (() => unknown)[] = [];
const mebibyte = 1024 * 1024;

beforeAll(async () => {
  cluster = await createCluster();
});

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
  expect(logger.errors).toEqual([]);
});

async function listening(options: Partial<TcpTransportOptions> = {}) {
  const server = createTcpTransport({ ...(await optionsOf(cluster, 1)), ...options }, { logger });
  toClose.push(() => server.close());
  const accepted: Connection[] = [];
  const { address } = await server.listen({
    address: "127.0.0.1:0",
    onConnection: (connection) => {
      accepted.push(connection);
      echo(connection);
    },
  });
  return { address, accepted };
}

/** An honest node calls, and has its answer. */
async function expectService(address: string): Promise<void> {
  const honest = createTcpTransport(await optionsOf(cluster, 2), { logger });
  const connection = await honest.connect(address);
  const stream = connection.openStream("p");
  stream.write(text("served"));
  stream.end();
  expect(toText(await readAll(stream))).toBe("served");
  await honest.close();
}

function plainSocket(address: string): Socket {
  const { host, port } = parseAddress(address, { allowPortZero: false });
  const socket = connectTcp(port, host);
  socket.on("error", () => undefined);
  socket.resume();
  toClose.push(() => socket.destroy());
  return socket;
}

/** What the process holds after a collection is not under our control; allocated buffers are, at once. */
const externalBytes = () => process.memoryUsage().external;

describe("a TCP listener under abuse", () => {
  it("drops a storm of connections that prove nothing, and takes honest ones again after their time", async () => {
    const { address, accepted } = await listening({ maxUnestablished: 16, handshakeTimeoutMs: 1_000 });
    const sockets = Array.from({ length: 400 }, () => plainSocket(address));
    await until(() => sockets.filter(({ closed }) => closed).length >= 300);
    await until(() => sockets.every(({ closed }) => closed));
    expect(accepted).toEqual([]);
    await expectService(address);
  });

  it("serves honest ones while others come again and again, and say nothing", async () => {
    const { address } = await listening({ maxUnestablished: 16 });
    let attempts = 0;
    let running = true;
    const come = (): void => {
      if (!running) return;
      attempts += 1;
      plainSocket(address).once("close", () => setTimeout(come, 20));
    };
    for (let i = 0; i < 40; i += 1) come();
    await until(() => attempts > 60);
    for (let i = 0; i < 5; i += 1) await expectService(address);
    running = false;
    expect(attempts).toBeGreaterThan(100);
  });

  it("holds no more than the window of streams that get a byte at a time", async () => {
    const held: Stream[] = [];
    const server = createTcpTransport({ ...(await optionsOf(cluster, 1)), streamWindowBytes: 256 * 1024 }, { logger });
    toClose.push(() => server.close());
    const { address } = await server.listen({
      address: "127.0.0.1:0",
      onConnection: (connection) => {
        connection.onStream = (stream) => held.push(stream);
      },
    });
    const { credentials } = await optionsOf(cluster, 9);
    const peer = await RawPeer.greet(address, credentials);
    toClose.push(() => peer.destroy());
    peer.send(encodeOpen(0, "unread"));
    await until(() => held.length === 1);
    const before = process.memoryUsage().rss;
    const one = frame(frameTypes.data, 0, [7]);
    const thousand = new Uint8Array(one.length * 1_024);
    for (let i = 0; i < 1_024; i += 1) thousand.set(one, i * one.length);
    for (let i = 0; i < 256; i += 1) peer.send(thousand);
    let received = 0;
    await until(() => {
      for (let bytes = held[0]?.read() ?? null; bytes !== null; bytes = held[0]?.read() ?? null) {
        expect(bytes.every((byte) => byte === 7)).toBe(true);
        received += bytes.length;
        // The first look is at what was gathered unread.
        if (received < 200 * 1024) expect(bytes.length).toBeGreaterThan(1);
      }
      return received >= 256 * 1024;
    }, 20_000);
    expect(received).toBe(256 * 1024);
    expect(process.memoryUsage().rss - before).toBeLessThan(64 * mebibyte);
  });

  it("gives those up that send one byte at a time", async () => {
    const { address, accepted } = await listening({ handshakeTimeoutMs: 300 });
    const sockets = Array.from({ length: 20 }, () => plainSocket(address));
    const hello = [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3, 0, 0, 0, 0];
    let at = 0;
    const drip = setInterval(() => {
      for (const socket of sockets) if (!socket.destroyed) socket.write(Uint8Array.of(hello[at % hello.length] ?? 0));
      at += 1;
    }, 30);
    toClose.push(() => clearInterval(drip));
    await expectService(address);
    await until(() => sockets.every(({ closed }) => closed));
    expect(accepted).toHaveLength(1);
  });

  it("gives those up that prove who they are and then say nothing", async () => {
    const { address, accepted } = await listening({ handshakeTimeoutMs: 300 });
    const { credentials } = await optionsOf(cluster, 9);
    const peers = await Promise.all(Array.from({ length: 10 }, () => RawPeer.open(address, credentials)));
    for (const peer of peers) toClose.push(() => peer.destroy());
    await Promise.all(peers.map((peer) => peer.close()));
    expect(accepted).toEqual([]);
  });

  it("holds no more of streams that nobody reads than their windows", async () => {
    const [streamWindowBytes, connectionWindowBytes] = [256 * 1024, mebibyte];
    const held: Stream[] = [];
    const server = createTcpTransport({ ...(await optionsOf(cluster, 1)), streamWindowBytes, connectionWindowBytes }, { logger });
    toClose.push(() => server.close());
    const { address } = await server.listen({
      address: "127.0.0.1:0",
      onConnection: (connection) => {
        connection.onStream = (stream) => held.push(stream);
      },
    });
    const before = externalBytes();
    const client = createTcpTransport({ ...(await optionsOf(cluster, 2)), sendBufferBytes: 65_536 }, { logger });
    toClose.push(() => client.close());
    const piece = new Uint8Array(65_536);
    const connection = await client.connect(address);
    for (let i = 0; i < 200; i += 1) {
      const stream = connection.openStream("unread");
      while (stream.write(piece));
    }
    await until(() => held.length === 200);
    await new Promise((resolve) => setTimeout(resolve, 100));
    // 1 MiB for the connection, the socket's buffers and pool, and what TLS holds.
    expect(externalBytes() - before).toBeLessThan(24 * mebibyte);
    const { address: other } = await listening();
    await expectService(other);
  });

  it("waits for credit that never comes without holding more than the send buffers", async () => {
    const server = createTcpTransport({ ...(await optionsOf(cluster, 1)), sendBufferBytes: 65_536 }, { logger });
    toClose.push(() => server.close());
    const accepted: Connection[] = [];
    const { address } = await server.listen({ address: "127.0.0.1:0", onConnection: (connection) => accepted.push(connection) });
    const { credentials } = await optionsOf(cluster, 9);
    const peer = await RawPeer.greet(address, credentials, { streamWindowBytes: 0, connectionWindowBytes: 0 });
    toClose.push(() => peer.destroy());
    await until(() => accepted.length === 1);
    const stream = accepted[0]?.openStream("starved");
    let taken = 0;
    while (stream?.write(new Uint8Array(16_384)) === true) taken += 16_384;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(taken).toBeLessThanOrEqual(65_536);
    expect(peer.bytesReceived).toBe(0);
    await expectService((await listening()).address);
  });

  it("hears a peer out that declares a long frame and sends it a byte at a time, and serves the others meanwhile", async () => {
    const { address } = await listening();
    const { credentials } = await optionsOf(cluster, 9);
    const peer = await RawPeer.greet(address, credentials);
    toClose.push(() => peer.destroy());
    const before = externalBytes();
    peer.send(encodeOpen(0, "slow"), frame(frameTypes.data, 0, [1], 65_536));
    const drip = setInterval(() => peer.send(Uint8Array.of(1)), 5);
    toClose.push(() => clearInterval(drip));
    await expectService(address);
    expect(externalBytes() - before).toBeLessThan(8 * mebibyte);
    expect(peer.closed).toBeNull();
  });
});
