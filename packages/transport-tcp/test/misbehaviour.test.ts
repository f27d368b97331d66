import type { Connection, Listener, Stream, Transport } from "@octopii/interfaces";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTcpTransport, tcpCodes } from "../src/index.js";
import { encodeOpen, encodePing, encodeReset, encodeStop, encodeStreamLimit, frameTypes, helloVersion } from "../src/wire/frame.js";
import { frame, RawPeer } from "./raw-peer.js";
import { type Cluster, collectingLogger, createCluster, optionsOf, turns, until } from "./support.js";

let cluster: Cluster;
let server: Transport;
let listener: Listener;
let accepted: Connection[];
let streams: Stream[];
let peers: RawPeer[];
const logger = collectingLogger();

beforeAll(async () => {
  cluster = await createCluster();
});

beforeEach(async () => {
  [accepted, streams, peers] = [[], [], []];
  const limits = { maxIncomingStreams: 4, streamWindowBytes: 16_384, connectionWindowBytes: 32_768, maxFrameBytes: 8_192 };
  server = createTcpTransport({ ...(await optionsOf(cluster, 1)), ...limits }, { logger });
  listener = await server.listen({
    address: "127.0.0.1:0",
    onConnection: (connection) => {
      accepted.push(connection);
      connection.onStream = (stream) => streams.push(stream);
    },
  });
});

afterEach(async () => {
  for (const peer of peers) peer.destroy();
  await server.close();
  expect(logger.errors).toEqual([]);
});

async function greeted(): Promise<RawPeer> {
  const peer = await RawPeer.greet(listener.address, (await optionsOf(cluster, 9)).credentials);
  peers.push(peer);
  return peer;
}

const open = (id: number) => encodeOpen(id, "p");
const data = (id: number, length: number) => frame(frameTypes.data, id, new Array<number>(length).fill(7));
const end = (id: number) => frame(frameTypes.end, id, []);

describe("a peer with a good certificate that breaks the protocol", () => {
  const cases: readonly [string, readonly Uint8Array[], RegExp][] = [
    ["a frame of an unknown type", [frame(99, 0, [])], /unknown type 99/],
    ["a frame of type 0", [frame(0, 0, [])], /unknown type 0/],
    ["a small frame that declares 16 MiB", [frame(frameTypes.open, 0, [112], 0xff_ff_ff)], /declares 16777215 bytes/],
    ["a data frame that declares 16 MiB", [open(0), frame(frameTypes.data, 0, [1], 0xff_ff_ff)], /declares 16777215 bytes, and 8192/],
    ["an empty data frame", [open(0), frame(frameTypes.data, 0, [])], /empty/],
    ["more bytes than a stream's credit", [open(0), data(0, 8_192), data(0, 8_192), data(0, 1)], /stream 0 got more bytes than its credit/],
    [
      "more bytes than the connection's credit",
      [open(0), open(4), open(8), data(0, 8_192), data(0, 8_192), data(4, 8_192), data(4, 8_192), data(8, 1)],
      /more bytes than the connection's credit/,
    ],
    ["more streams than it may open", [open(0), open(4), open(8), open(12), open(16)], /out of turn or beyond the credit/],
    ["a stream out of turn", [open(4)], /stream 4 was opened out of turn/],
    ["a stream of ours", [open(1)], /stream 1 was opened out of turn/],
    ["a stream twice", [open(0), open(0)], /stream 0 was opened out of turn/],
    ["a protocol name that is not ASCII", [frame(frameTypes.open, 0, [200])], /not 1 to 64 printable ASCII/],
    ["a protocol name that is too long", [frame(frameTypes.open, 0, new Array<number>(65).fill(97))], /not 1 to 64 printable ASCII/],
    ["no protocol name", [frame(frameTypes.open, 0, [])], /declares 0 bytes/],
    ["bytes of a stream that never began", [data(0, 1)], /stream 0, which takes none/],
    ["bytes after the end", [open(0), end(0), data(0, 1)], /stream 0, which takes none/],
    ["two ends", [open(0), end(0), end(0)], /ended twice/],
    ["a reset after the end", [open(0), end(0), encodeReset(0, 1)], /reset after its end/],
    ["a stop of a stream that never began", [encodeStop(0, 1)], /stream 0, which nobody has opened/],
    ["credit for a stream that never began", [encodeStreamLimit(1, 1)], /stream 1, which nobody has opened/],
    ["a second hello", [frame(frameTypes.hello, 0, [helloVersion, ...new Array<number>(16).fill(1)])], /second hello/],
    ["a ping that is too short", [frame(frameTypes.ping, 0, [1])], /declares 1 bytes, and 8 are due/],
  ];

  it.each(cases)("is told what was wrong: %s", async (_what, frames, problem) => {
    const peer = await greeted();
    peer.send(...frames);
    expect(await peer.close()).toEqual({ code: tcpCodes.protocolViolation, reason: expect.stringMatching(problem) });
    expect(await accepted[0]?.closed).toMatchObject({ by: "error", code: tcpCodes.protocolViolation });
  });

  it("gets no connection without a hello, or by one of another version", async () => {
    const { credentials } = await optionsOf(cluster, 9);
    for (const [first, problem] of [
      [open(0), /no hello|out of turn/],
      [frame(frameTypes.hello, 0, [77, ...new Array<number>(16).fill(1)]), /version 77/],
    ] as const) {
      const peer = await RawPeer.open(listener.address, credentials);
      peers.push(peer);
      peer.send(first);
      expect((await peer.close()).reason).toMatch(problem);
    }
    expect(accepted).toEqual([]);
  });

  it("may say what is of no use any more, which changes nothing", async () => {
    const peer = await greeted();
    peer.send(open(0), encodeReset(0, 5), encodeStop(0, 6), encodeStreamLimit(0, 9), open(4), data(4, 3));
    await until(() => streams.length > 0 && (streams.at(-1)?.read() ?? null) !== null);
    expect(peer.closed).toBeNull();
  });

  it("cannot make us owe it answers without end", async () => {
    const peer = await greeted();
    peer.socket.pause();
    const pings = new Uint8Array(18 * 4_096);
    for (let i = 0; i < 4_096; i += 1) pings.set(encodePing(new Uint8Array(8)), i * 18);
    let closed = false;
    void accepted[0]?.closed.then(() => {
      closed = true;
    });
    // TCP takes some MiB for us before our own limit counts.
    for (let sent = 0; !closed && sent < 64 * 1024 * 1024; sent += pings.length) {
      peer.send(pings);
      await turns(2);
    }
    expect(await accepted[0]?.closed).toMatchObject({ code: tcpCodes.protocolViolation, reason: "the peer sends and does not read" });
  });

  it("does not disturb honest peers", async () => {
    const bad = await Promise.all(Array.from({ length: 5 }, greeted));
    const honest = createTcpTransport(await optionsOf(cluster, 2), { logger });
    const connection = await honest.connect(listener.address);
    for (const peer of bad) peer.send(frame(99, 0, []));
    await Promise.all(bad.map((peer) => peer.close()));
    const stream = connection.openStream("honest");
    stream.write(Uint8Array.of(1));
    await until(() => streams.some(({ protocol }) => protocol === "honest"));
    await honest.close();
  });
});
