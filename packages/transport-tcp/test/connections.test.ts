import { readFile, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Connection, RotatingTransport } from "@octopii/interfaces";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { createTcpTransport, type TcpTransportOptions, tcpCodes } from "../src/index.js";
import {
  type Cluster,
  closeOf,
  collectingLogger,
  connectPair,
  createCluster,
  nextStream,
  optionsOf,
  pattern,
  readAll,
  text,
  until,
  writeAll,
} from "./support.js";

let cluster: Cluster;
let transports: RotatingTransport[] = [];
const logger = collectingLogger();

beforeAll(async () => {
  cluster = await createCluster();
});

afterEach(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  transports = [];
  expect(logger.errors).toEqual([]);
});

async function node(id: number, options: Partial<TcpTransportOptions> = {}): Promise<RotatingTransport> {
  const transport = createTcpTransport({ ...(await optionsOf(cluster, id)), ...options }, { logger });
  transports.push(transport);
  return transport;
}

async function listening(options: Partial<TcpTransportOptions> = {}, address = "127.0.0.1:0") {
  const transport = await node(1, options);
  const accepted: Connection[] = [];
  const listener = await transport.listen({ address, onConnection: (connection) => accepted.push(connection) });
  return { transport, listener, accepted };
}

describe("a TCP connection", () => {
  it("carries a large stream unchanged while it is cut into small frames", async () => {
    const pair = await connectPair(cluster, { options: { maxFrameBytes: 1_024, streamWindowBytes: 16_384, sendBufferBytes: 4_096 } });
    const bytes = pattern(3 * 1024 * 1024);
    const received = nextStream(pair.acceptor).then(readAll);
    const pieces = Array.from({ length: 96 }, (_, i) => bytes.subarray(i * 32_768, (i + 1) * 32_768));
    await writeAll(pair.dialer.openStream("bulk", { unidirectional: true }), pieces);
    expect(Buffer.compare(await received, bytes)).toBe(0);
    await pair.close();
  });

  it("tells the peer code and reason, and ends its streams by them", async () => {
    const pair = await connectPair(cluster);
    const stream = pair.dialer.openStream("p");
    stream.write(text("x"));
    await nextStream(pair.acceptor);
    pair.acceptor.close(77, "enough");
    expect(await closeOf(stream)).toEqual({ error: { by: "connection", code: 77 } });
    expect(await pair.dialer.closed).toEqual({ by: "remote", code: 77, reason: "enough" });
    await pair.close();
  });

  it("ends by itself when the peer's transport is gone", async () => {
    const pair = await connectPair(cluster);
    await pair.transports[0].close();
    expect(await pair.dialer.closed).toMatchObject({ by: "remote", code: tcpCodes.transportClosed });
    await pair.close();
  });

  it("keeps a thousand streams that open and end at once apart, and leaves none behind", async () => {
    const pair = await connectPair(cluster, { options: { maxIncomingStreams: 64 } });
    pair.acceptor.onStream = (stream) => {
      readAll(stream).then(
        (bytes) => {
          stream.write(bytes);
          stream.end();
        },
        () => undefined,
      );
    };
    const calls = Array.from({ length: 1_000 }, async (_, i) => {
      const stream = pair.dialer.openStream("call");
      stream.write(pattern(100 + i, i + 1));
      stream.end();
      return Buffer.compare(await readAll(stream), pattern(100 + i, i + 1));
    });
    expect((await Promise.all(calls)).every((difference) => difference === 0)).toBe(true);
    await until(() => pair.dialer.stats().openStreams === 0 && pair.acceptor.stats().openStreams === 0);
    await pair.close();
  });
});

describe("connecting", () => {
  it("works over IPv6, and by name", async () => {
    const { listener } = await listening({}, "[::1]:0");
    expect((await (await node(2)).connect(listener.address)).peer.nodeId).toBe(1);
    const port = listener.address.split(":").at(-1);
    const named = await listening({}, "localhost:0");
    const address = `localhost:${named.listener.address.split(":").at(-1)}`;
    expect((await (await node(3)).connect(address)).peer.nodeId).toBe(1);
    await expect((await node(4)).connect(`no-such-host.invalid:${port}`)).rejects.toMatchObject({ code: "OCTOPII_TCP_UNRESOLVED_ADDRESS" });
  });

  it("to nobody, or to somebody who says nothing, ends with a reason", async () => {
    const mute = createServer((socket) => socket.on("error", () => undefined).resume());
    await new Promise<void>((resolve) => void mute.listen(0, "127.0.0.1", resolve));
    const { port } = mute.address() as { port: number };
    const transport = await node(2);
    await expect(transport.connect(`127.0.0.1:${port}`, { timeoutMs: 100 })).rejects.toMatchObject({ code: "OCTOPII_TCP_CONNECT_TIMEOUT" });
    await new Promise((resolve) => mute.close(resolve));
    await expect(transport.connect(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: "OCTOPII_TCP_CONNECT_REFUSED" });
    await expect(transport.connect("0.0.0.0:5")).rejects.toMatchObject({ code: "OCTOPII_TCP_INVALID_ADDRESS" });
  });

  it("while the listener closes ends one way or the other, and leaves nothing open", async () => {
    for (let round = 0; round < 10; round += 1) {
      const { transport, listener } = await listening();
      const dialer = await node(2, { connectTimeoutMs: 2_000 });
      const dials = Array.from({ length: 5 }, () => dialer.connect(listener.address));
      const outcomes = Promise.allSettled(dials);
      await new Promise((resolve) => setTimeout(resolve, round));
      await listener.close();
      for (const outcome of await outcomes) {
        if (outcome.status === "rejected") expect(outcome.reason.details).not.toHaveProperty("refusal");
        else outcome.value.close(0, "");
      }
      await transport.close();
    }
  });

  it("stops at the limit of connections", async () => {
    const { listener } = await listening({ maxConnections: 2 });
    const dialer = await node(2, { connectTimeoutMs: 500 });
    const [first] = await Promise.all([dialer.connect(listener.address), dialer.connect(listener.address)]);
    await expect(dialer.connect(listener.address)).rejects.toMatchObject({ name: "TcpTransportError" });
    first?.close(0, "");
    await first?.closed;
    await new Promise((resolve) => setTimeout(resolve, 50));
    await dialer.connect(listener.address);
  });
});

describe("listening", () => {
  it("on a taken port names it and the remedy", async () => {
    const { listener } = await listening();
    await expect((await node(2)).listen({ address: listener.address, onConnection: () => undefined })).rejects.toMatchObject({
      code: "OCTOPII_TCP_ADDRESS_IN_USE",
      cause: { code: "EADDRINUSE" },
    });
  });

  it("ends without ending open connections, and frees the port at once", async () => {
    const { listener, accepted } = await listening();
    const connection = await (await node(2)).connect(listener.address);
    await until(() => accepted.length === 1);
    await listener.close();
    await (await node(3)).listen({ address: listener.address, onConnection: () => undefined });
    const arriving = accepted[0] === undefined ? null : nextStream(accepted[0]);
    connection.openStream("still").end();
    expect((await arriving)?.protocol).toBe("still");
  });
});

describe("credentials", () => {
  it("are replaced while both run: new connections show the new ones, and open ones live on", async () => {
    const { transport, listener, accepted } = await listening();
    const dialer = await node(2);
    const before = await dialer.connect(listener.address);
    const { credentials } = await optionsOf(cluster, 5);
    await transport.replaceCredentials(credentials);
    expect((await dialer.connect(listener.address)).peer.nodeId).toBe(5);
    await dialer.replaceCredentials((await optionsOf(cluster, 6)).credentials);
    await dialer.connect(listener.address);
    await until(() => accepted.length === 3);
    expect(accepted.map(({ peer }) => peer.nodeId)).toEqual([2, 2, 6]);
    expect(before.peer.nodeId).toBe(1);
    await expect(transport.replaceCredentials({ ...credentials, privateKey: "nonsense" })).rejects.toMatchObject({
      code: "OCTOPII_TCP_INVALID_CREDENTIALS",
    });
    expect((await dialer.connect(listener.address)).peer.nodeId).toBe(5);
  });

  it("give their secrets to a file only where an option says so", async () => {
    const file = join(tmpdir(), `octopii-keys-${process.pid}-${Math.random().toString(36).slice(2)}`);
    const { listener } = await listening({ insecureKeyLogFile: file });
    await (await node(2)).connect(listener.address);
    expect(await readFile(file, "utf8")).toMatch(/^SERVER_HANDSHAKE_TRAFFIC_SECRET|CLIENT_HANDSHAKE_TRAFFIC_SECRET/m);
    await rm(file);
  });
});

describe("leaving", () => {
  it("leaves no handle behind", async () => {
    const handles = () => process.getActiveResourcesInfo().filter((name) => /^(TCP|Timeout)/.test(name)).length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = handles();
    const pair = await connectPair(cluster);
    pair.dialer.openStream("p").write(text("x"));
    expect(handles()).toBeGreaterThan(before);
    await pair.close();
    await until(() => handles() <= before);
  });
});
