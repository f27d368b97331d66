import type { Connection, Listener, Stream, Transport } from "@octopii/interfaces";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { createQuicTransport, quicCodes, type UdpSocket, type UdpSocketOptions } from "../src/index.js";
import { RawClient } from "./raw-client.js";
import { type Cluster, collectingLogger, createCluster, echo, optionsOf, readAll, text, toText, until } from "./support.js";

let cluster: Cluster;
let server: Transport;
let listener: Listener;
let accepted: Connection[];
let streams: Stream[];
let clients: RawClient[];
const logger = collectingLogger();

beforeAll(async () => {
  cluster = await createCluster();
});

beforeEach(async () => {
  [accepted, streams, clients] = [[], [], []];
  server = createQuicTransport({ ...(await optionsOf(cluster, 1)), maxIncomingStreams: 4, maxUnestablishedBytes: 8_192 }, { logger });
  listener = await server.listen({
    address: "127.0.0.1:0",
    onConnection: (connection) => {
      accepted.push(connection);
      connection.onStream = (stream) => streams.push(stream);
    },
  });
});

afterEach(async () => {
  await Promise.all([server.close(), ...clients.map((client) => client.stop())]);
  expect(logger.errors).toEqual([]);
});

/** A good control stream of a dialer: version, and credit for ten streams of each kind. */
const goodControl = [1, 1, 10, 10];

/** A client that the server knows; @param control - its control stream, whose first word makes it a connection. */
async function raw(control: readonly number[] = goodControl): Promise<RawClient> {
  const client = await RawClient.open(listener.address, (await optionsOf(cluster, 9)).credentials);
  clients.push(client);
  if (control.length > 0) {
    client.send(2, control);
    await until(() => accepted.length > 0);
  }
  return client;
}

const name = [..."abc"].map((letter) => letter.charCodeAt(0));
const goodPreamble = [1, 3, ...name];

describe("a peer with a good certificate that breaks the protocol", () => {
  const cases: readonly [string, number, readonly number[], boolean, RegExp][] = [
    ["a preamble of another version", 0, [2, 3, ...name], false, /preamble version 2/],
    ["a protocol name that is too long", 0, [1, 65], false, /65 bytes/],
    ["a protocol name that is not ASCII", 0, [1, 1, 200], false, /not printable ASCII/],
    ["an end within the preamble", 0, [1, 3, 97, 0], true, /within its preamble/],
    ["an end without a mark", 6, [...goodPreamble, 7], true, /without its mark/],
    ["more streams than it may open", 4 * 4, goodPreamble, false, /more streams than it was allowed/],
    ["more one-way streams than it may open", 2 + 5 * 4, goodPreamble, false, /more streams than it was allowed/],
    ["a control stream of another version", 2, [9], false, /control stream has version 9/],
    ["an unknown control message", 2, [1, 77], false, /unknown type 77/],
    ["an end of the control stream", 2, goodControl, true, /control stream was ended/],
  ];

  it.each(cases)("is told what was wrong: %s", async (_what, id, bytes, fin, problem) => {
    const isControl = id === 2;
    const client = await raw(isControl ? [] : goodControl);
    client.send(id, bytes, fin);
    expect(await client.closed()).toEqual({
      application: true,
      code: quicCodes.protocolViolation,
      reason: expect.stringMatching(problem),
    });
    // Without a good first word it never becomes a connection.
    if (isControl) expect(accepted).toEqual([]);
    else expect(await accepted[0]?.closed).toMatchObject({ by: "error", code: quicCodes.protocolViolation });
    expect(streams).toEqual([]);
  });

  it("does not disturb honest peers", async () => {
    const bad = await Promise.all(Array.from({ length: 5 }, () => raw()));
    const honest = createQuicTransport(await optionsOf(cluster, 2), { logger });
    const connection = await honest.connect(listener.address);
    await until(() => accepted.length === 6);
    for (const each of accepted) echo(each);
    for (const [i, client] of bad.entries()) client.send(i % 2 === 0 ? 0 : 2, [250, 250, 250]);
    const stream = connection.openStream("p");
    stream.write(text("fine"));
    stream.end();
    expect(toText(await readAll(stream))).toBe("fine");
    await Promise.all(bad.map((client) => client.closed()));
    await honest.close();
  });

  it("may name streams that do not exist, which changes nothing", async () => {
    const client = await raw();
    client.send(2, [2, 0x40, 0x64, 5, 3, 8, 6, 2, 1, 1, 3, 3, 1]);
    client.send(0, [...goodPreamble, 42]);
    await until(() => streams.length === 1);
    expect(streams[0]?.protocol).toBe("abc");
    expect([...(streams[0]?.read() ?? [])]).toEqual([42]);
  });

  it("may cut streams short before their first bytes come", async () => {
    const client = await raw();
    client.send(2, [3, 0, 6, 2, 4, 7]);
    await new Promise((resolve) => setTimeout(resolve, 30));
    client.send(0, [...goodPreamble, 42]);
    client.send(4, goodPreamble);
    await until(() => streams.length === 1);
    expect(() => streams[0]?.write(text("x"))).toThrow(/gave up reading/);
    const refused = new Uint8Array(10);
    await until(() => client.engine.streamReadable(0));
    expect(client.engine.streamReceive(0, refused)).toBe(1);
    expect([refused[0], client.engine.finished]).toEqual([1, true]);
    expect(accepted[0]?.stats().openStreams).toBe(1);
  });

  it("cannot speak another application protocol", async () => {
    const client = await RawClient.start(listener.address, (await optionsOf(cluster, 9)).credentials, { applicationProtocol: "other/1" });
    clients.push(client);
    expect(await client.closed()).toMatchObject({ application: false, code: 0x100 + 120 });
    expect(accepted).toEqual([]);
  });

  it("cannot send without end before it has proven its identity", async () => {
    const sockets = {
      resolve: nodeUdpSockets.resolve,
      open: async (options: UdpSocketOptions): Promise<UdpSocket> => {
        const socket = await nodeUdpSockets.open(options);
        const send = (buffer: Uint8Array, length: number, host: string, port: number) => {
          const copy = buffer.slice(0, length);
          socket.send(buffer, length, host, port);
          for (let again = 0; again < 12; again += 1) {
            const next = socket.take();
            next?.set(copy);
            if (next !== null) socket.send(next, length, host, port);
          }
        };
        const { host, port } = socket;
        return { host, port, send, take: () => socket.take(), giveBack: (buffer) => socket.giveBack(buffer), close: () => socket.close() };
      },
    };
    const flooding = createQuicTransport(await optionsOf(cluster, 2), { logger, sockets });
    await expect(flooding.connect(listener.address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_HANDSHAKE_FAILED" });
    expect(accepted).toEqual([]);
    await flooding.close();
  });
});
