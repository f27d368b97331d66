import type { Connection } from "@octopii/interfaces";
import { openUdpProxy } from "@octopii/testing/udp-proxy";
import { beforeAll, describe, expect, it } from "vitest";
import { createQuicTransport, type QuicTransportOptions } from "../src/index.js";
import { type Faults, faultySockets } from "./faulty-sockets.js";
import {
  type Cluster,
  closeOf,
  connectPair,
  createCluster,
  echo,
  nextStream,
  optionsOf,
  type Pair,
  pattern,
  readAll,
  text,
  toText,
  until,
  writeAll,
} from "./support.js";

let cluster: Cluster;

beforeAll(async () => {
  cluster = await createCluster();
});

const faults = { loss: 0.1, duplication: 0.05, delay: 0.1 };

/** A pair whose network turns bad once the connection is open: before that, each loss costs the engine a second and more. */
async function badPair(seed: number, options: Partial<QuicTransportOptions> = {}): Promise<Pair> {
  const network: Faults = { seed, loss: 0 };
  const pair = await connectPair(cluster, { options: { idleTimeoutMs: 60_000, ...options }, ports: { sockets: faultySockets(network) } });
  Object.assign(network, faults);
  return pair;
}

describe("a close that is lost", () => {
  it("is repeated until the peer knows, also where the congestion window had no room for it", async () => {
    const network: Faults = { seed: 9, loss: 0 };
    const pair = await connectPair(cluster, { ports: { sockets: faultySockets(network) } });
    pair.dialer.openStream("bulk").write(pattern(2 * 1024 * 1024));
    await new Promise((resolve) => setTimeout(resolve, 5));
    network.loss = 1;
    await new Promise((resolve) => setTimeout(resolve, 20));
    pair.dialer.close(7, "enough");
    await new Promise((resolve) => setTimeout(resolve, 100));
    network.loss = 0;
    const started = performance.now();
    expect(await pair.acceptor.closed).toMatchObject({ by: "remote", code: 7, reason: "enough" });
    // Long before the idle timeout of 10 s.
    expect(performance.now() - started).toBeLessThan(3_000);
    await pair.close();
  });
});

describe("QUIC over a bad network", () => {
  it.each([1, 2, 3])("carries a large stream unchanged, seed %i", async (seed) => {
    const pair = await badPair(seed);
    const arriving = nextStream(pair.acceptor);
    const stream = pair.dialer.openStream("bulk", { unidirectional: true });
    const bytes = pattern(2 * 1024 * 1024, seed);
    const received = arriving.then(readAll);
    await writeAll(
      stream,
      Array.from({ length: 64 }, (_, i) => bytes.subarray(i * 32_768, (i + 1) * 32_768)),
    );
    expect(Buffer.compare(await received, bytes)).toBe(0);
    await pair.close();
    expect(pair.logger.errors).toEqual([]);
  });

  it.each([4, 5])("answers every call, with streams and their ends lost on the way, seed %i", async (seed) => {
    const pair = await badPair(seed, { maxIncomingStreams: 16 });
    echo(pair.acceptor);
    const answers = await Promise.all(
      Array.from({ length: 400 }, async (_, i) => {
        const stream = pair.dialer.openStream("p");
        stream.write(text(`call ${i}`));
        stream.end();
        return toText(await readAll(stream));
      }),
    );
    expect(answers).toEqual(Array.from({ length: 400 }, (_, i) => `call ${i}`));
    await until(() => pair.acceptor.stats().openStreams === 0);
    await pair.close();
    expect(pair.logger.errors).toEqual([]);
  });

  it.each([6, 7])("brings every reset and stop across, seed %i", async (seed) => {
    const pair = await badPair(seed, { maxIncomingStreams: 16 });
    const codes: (number | undefined)[] = [];
    pair.acceptor.onStream = (stream) => {
      stream.onReadable = () => {
        while (stream.read() !== null);
      };
      stream.onClose = ({ error }) => codes.push(error?.code);
    };
    const streams = Array.from({ length: 100 }, (_, i) => {
      const stream = pair.dialer.openStream("p");
      stream.write(new Uint8Array(5_000));
      setTimeout(() => {
        stream.stop(i);
        stream.reset(i);
      }, i);
      return closeOf(stream);
    });
    await Promise.all(streams);
    await until(() => pair.acceptor.stats().openStreams === 0);
    expect(codes.length).toBeGreaterThan(0);
    for (const code of codes) expect(code).toBeTypeOf("number");
    await pair.close();
    expect(pair.logger.errors).toEqual([]);
  });

  it("opens a connection all the same", async () => {
    const options = { connectTimeoutMs: 30_000, handshakeTimeoutMs: 30_000 };
    const pair = await connectPair(cluster, { options, ports: { sockets: faultySockets({ seed: 8, ...faults, loss: 0.05 }) } });
    expect(pair.dialer.peer.nodeId).toBe(1);
    await pair.close();
  });

  it.each(["dialer", "acceptor"] as const)("repeats the word of its end to a peer that missed it, said by the %s", async (end) => {
    const network: Faults = { seed: 1, loss: 0 };
    const pair = await connectPair(cluster, { options: { idleTimeoutMs: 60_000 }, ports: { sockets: faultySockets(network) } });
    const [closer, peer] = end === "dialer" ? [pair.dialer, pair.acceptor] : [pair.acceptor, pair.dialer];
    network.loss = 1;
    closer.close(5, "lost");
    expect(await closer.closed).toEqual({ by: "local", code: 5, reason: "lost" });
    network.loss = 0;
    peer.openStream("anybody there").write(text("?"));
    expect(await peer.closed).toEqual({ by: "remote", code: 5, reason: "lost" });
    await pair.close();
  });
});

describe("QUIC through a bad network between real sockets", () => {
  it.each([11, 12])(
    "carries a checked stream through a tenth of loss, with delay, overtaking, doubles and damage, seed %i",
    async (seed) => {
      const [server, client] = await Promise.all([
        optionsOf(cluster, 1).then((options) => createQuicTransport({ ...options, idleTimeoutMs: 60_000 })),
        optionsOf(cluster, 2).then((options) => createQuicTransport({ ...options, idleTimeoutMs: 60_000 })),
      ]);
      const accepted: Connection[] = [];
      const { address } = await server.listen({ address: "127.0.0.1:0", onConnection: (connection) => accepted.push(connection) });
      const proxy = await openUdpProxy({ target: address, seed });
      const dialer = await client.connect(proxy.address);
      await until(() => accepted.length === 1);
      const [acceptor] = accepted;
      if (acceptor === undefined) throw new Error("not accepted");
      const kilo = 1_000;
      proxy.configure({ lossPerMillion: 100 * kilo, duplicatePerMillion: 20 * kilo, corruptPerMillion: 10 * kilo, maxDelayMs: 4 });
      const bytes = pattern(1024 * 1024, seed);
      const received = nextStream(acceptor).then(readAll);
      const pieces = Array.from({ length: 64 }, (_, i) => bytes.subarray(i * 16_384, (i + 1) * 16_384));
      await writeAll(dialer.openStream("bulk", { unidirectional: true }), pieces);
      expect(Buffer.compare(await received, bytes)).toBe(0);
      const { received: all, lost } = proxy.stats;
      expect(lost / all).toBeGreaterThan(0.05);
      await Promise.all([client.close(), server.close()]);
      await proxy.close();
    },
  );

  it("is cut off and comes back within its idle timeout, or ends at it", async () => {
    const make = async (id: number) => createQuicTransport({ ...(await optionsOf(cluster, id)), idleTimeoutMs: 1_500 });
    const [server, client] = await Promise.all([make(1), make(2)]);
    const { address } = await server.listen({ address: "127.0.0.1:0", onConnection: echo });
    const proxy = await openUdpProxy({ target: address, seed: 1 });
    const dialer = await client.connect(proxy.address);
    const stream = dialer.openStream("p");
    proxy.cut();
    stream.write(text("through the gap"));
    await new Promise((resolve) => setTimeout(resolve, 500));
    proxy.heal();
    stream.end();
    expect(toText(await readAll(stream))).toBe("through the gap");
    proxy.cut("fromTarget");
    expect(await dialer.closed).toMatchObject({ by: "timeout" });
    await Promise.all([client.close(), server.close()]);
    await proxy.close();
  });
});
