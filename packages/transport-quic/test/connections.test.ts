import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { createAuthority, identifyForCluster, issueClientCertificate, issueNodeCertificate } from "@octopii/certificates";
import type { Connection, Transport } from "@octopii/interfaces";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { createQuicTransport, type QuicTransportOptions, type QuicTransportPorts, quicCodes } from "../src/index.js";
import { faultySockets } from "./faulty-sockets.js";
import {
  type Cluster,
  collectingLogger,
  connectPair,
  createCluster,
  echo,
  optionsOf,
  readAll,
  text,
  toText,
  turns,
  until,
} from "./support.js";

let cluster: Cluster;
let foreign: Cluster;
let transports: Transport[] = [];
const logger = collectingLogger();

beforeAll(async () => {
  [cluster, foreign] = await Promise.all([createCluster("reef"), createCluster("lagoon")]);
});

afterEach(async () => {
  await Promise.all(transports.map((transport) => transport.close()));
  transports = [];
  expect(logger.errors).toEqual([]);
});

function transportOf(options: QuicTransportOptions, ports: QuicTransportPorts = {}): Transport {
  const transport = createQuicTransport(options, { logger, ...ports });
  transports.push(transport);
  return transport;
}

async function node(id: number, options: Partial<QuicTransportOptions> = {}, ports: QuicTransportPorts = {}): Promise<Transport> {
  return transportOf({ ...(await optionsOf(cluster, id)), ...options }, ports);
}

/** A listening node; its connections gather in `accepted`. */
async function listening(options: Partial<QuicTransportOptions> = {}, address = "127.0.0.1:0") {
  const transport = await node(1, options);
  const accepted: Connection[] = [];
  const listener = await transport.listen({ address, onConnection: (connection) => accepted.push(connection) });
  return { transport, listener, accepted };
}

async function plainSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

const portOf = (address: string) => Number(address.split(":").at(-1));

describe("closing a connection", () => {
  it.each(["dialer", "acceptor"] as const)("tells the peer code and reason, closed by the %s", async (end) => {
    const pair = await connectPair(cluster);
    transports.push(...pair.transports);
    const [closer, peer] = end === "dialer" ? [pair.dialer, pair.acceptor] : [pair.acceptor, pair.dialer];
    closer.close(4_294_967_295, "enough für heute");
    closer.close(1, "again");
    expect(await closer.closed).toEqual({ by: "local", code: 4_294_967_295, reason: "enough für heute" });
    expect(await peer.closed).toEqual({ by: "remote", code: 4_294_967_295, reason: "enough für heute" });
  });

  it("by closing the whole transport is told apart", async () => {
    const pair = await connectPair(cluster);
    transports.push(...pair.transports);
    await pair.transports[0].close();
    expect(await pair.acceptor.closed).toMatchObject({ by: "local", code: quicCodes.transportClosed });
    expect(await pair.dialer.closed).toMatchObject({ by: "remote", code: quicCodes.transportClosed });
    expect(pair.transports[0].close()).toBe(pair.transports[0].close());
  });

  it("delivers what came before it", async () => {
    const { listener, accepted } = await listening();
    const dialer = await (await node(2)).connect(listener.address);
    await until(() => accepted.length === 1);
    const seen: string[] = [];
    dialer.onStream = (stream) => {
      stream.onReadable = () => {
        for (let bytes = stream.read(); bytes !== null; bytes = stream.read()) seen.push(toText(bytes));
      };
    };
    const stream = accepted[0]?.openStream("p");
    stream?.write(text("last words"));
    await until(() => seen.length === 1);
    accepted[0]?.close(0, "");
    expect(await dialer.closed).toEqual({ by: "remote", code: 0, reason: "" });
    expect(seen).toEqual(["last words"]);
  });

  it("happens by itself when the peer falls silent, and not while it only has nothing to say", async () => {
    const silent = { value: false };
    const sockets = {
      ...nodeUdpSockets,
      open: async (options: Parameters<typeof nodeUdpSockets.open>[0]) =>
        nodeUdpSockets.open({ ...options, onDatagram: (...datagram) => (silent.value ? undefined : options.onDatagram(...datagram)) }),
    };
    const { listener, accepted } = await listening({ idleTimeoutMs: 300 });
    const dialer = await (await node(2, { idleTimeoutMs: 300 }, { sockets })).connect(listener.address);
    await until(() => accepted.length === 1);
    const state = { closed: false };
    void dialer.closed.then(() => {
      state.closed = true;
    });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(state.closed).toBe(false);
    silent.value = true;
    expect(await dialer.closed).toEqual({ by: "timeout", code: quicCodes.idleTimeout, reason: "the peer fell silent" });
  });
});

describe("identity", () => {
  it("of another cluster is refused by the side that is called, before it hears of any stream", async () => {
    const { listener, accepted } = await listening({
      credentials: {
        ...(await optionsOf(cluster, 1)).credentials,
        authorities: cluster.authority.certificate + foreign.authority.certificate,
      },
    });
    const { credentials, identify } = await optionsOf(foreign, 7);
    const intruder = transportOf({
      credentials: { ...credentials, authorities: cluster.authority.certificate },
      identify: identifyForCluster({ cluster: "reef" }),
    });
    await expect(intruder.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(/refused this side: 'node-7' belongs to cluster 'lagoon', not 'reef'/),
      details: { refusal: { by: "remote", reason: "'node-7' belongs to cluster 'lagoon', not 'reef'" } },
    });
    expect(accepted).toEqual([]);
    expect(identify).toBeTypeOf("function");
  });

  it("of another cluster is refused by the side that calls", async () => {
    const both = cluster.authority.certificate + foreign.authority.certificate;
    const foreignOptions = await optionsOf(foreign, 7);
    const wrongServer = transportOf({
      credentials: { ...foreignOptions.credentials, authorities: both },
      identify: identifyForCluster({ cluster: "reef" }),
    });
    const accepted: Connection[] = [];
    const listener = await wrongServer.listen({ address: "127.0.0.1:0", onConnection: (connection) => accepted.push(connection) });
    const own = await optionsOf(cluster, 2);
    const caller = transportOf({ ...own, credentials: { ...own.credentials, authorities: both } });
    await expect(caller.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(/This side refused .* belongs to cluster 'lagoon'/),
      details: { refusal: { by: "local", reason: "'node-7' belongs to cluster 'lagoon', not 'reef'" } },
    });
    await turns();
    expect(accepted).toEqual([]);
  });

  it.each([
    ["another name", () => foreign, /TLS alert 48, unknown authority/],
    ["the same name", () => createCluster("reef"), /TLS alert (42|48|51), /],
  ])("by an authority of %s is refused in the handshake, in both directions", async (_what, other, alert) => {
    const { listener, accepted } = await listening();
    const stranger = await other();
    const own = await optionsOf(stranger, 7);
    const identify = identifyForCluster({ cluster: "reef" });
    const untrusted = transportOf({ identify, credentials: { ...own.credentials, authorities: cluster.authority.certificate } });
    await expect(untrusted.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(new RegExp(`^${listener.address} refused this side: `)),
      details: { closeCode: quicCodes.refused, refusal: { by: "remote", reason: expect.stringMatching(alert) } },
    });
    const { credentials } = await optionsOf(cluster, 2);
    const untrusting = transportOf({ identify, credentials: { ...credentials, authorities: stranger.authority.certificate } });
    await expect(untrusting.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(new RegExp(`^This side refused ${listener.address}: `)),
      details: { closeCode: quicCodes.refused, refusal: { by: "local", reason: expect.stringMatching(alert) } },
    });
    // What fits together, but belongs elsewhere: each side would refuse the other, and the caller is the first to know.
    await expect(transportOf({ ...own, identify }).connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      details: { refusal: { by: "local" } },
    });
    expect(accepted).toEqual([]);
  });

  it("is not in question where a peer restarts or falls silent", async () => {
    const { transport, listener } = await listening();
    const dialer = await node(2, { connectTimeoutMs: 300 });
    await dialer.connect(listener.address);
    const dials = Array.from({ length: 10 }, () => dialer.connect(listener.address));
    const outcomes = Promise.allSettled(dials);
    await transport.close();
    for (const outcome of await outcomes) {
      if (outcome.status === "rejected") expect(outcome.reason.details).not.toHaveProperty("refusal");
    }
    await expect(dialer.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_CONNECT_TIMEOUT",
      details: expect.not.objectContaining({ refusal: expect.anything() }),
    });
  });

  it("of a client is enough to call, and not to be called", async () => {
    const { listener, accepted } = await listening();
    const issued = await issueClientCertificate(cluster.authority, { cluster: "reef", name: "dashboard" });
    const credentials = { ...issued, authorities: cluster.authority.certificate };
    const client = transportOf({ credentials, identify: identifyForCluster({ cluster: "reef" }) });
    await client.connect(listener.address);
    await until(() => accepted.length === 1);
    expect(accepted[0]?.peer).toEqual({ name: "dashboard", cluster: "reef", nodeId: null });
    const posing = await client.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    await expect((await node(2)).connect(posing.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      details: { refusal: { by: "local" } },
    });
  });

  it("that has expired is refused", async () => {
    const past = { now: () => 0, wallTime: () => Date.now() - 10 * 86_400_000 };
    const authority = await createAuthority({ cluster: "reef" }, { clock: past });
    const issued = await issueNodeCertificate(authority, { cluster: "reef", nodeId: 9, name: "old", validityDays: 5 }, { clock: past });
    const trusting = await optionsOf(cluster, 1);
    const server = transportOf({
      ...trusting,
      credentials: { ...trusting.credentials, authorities: cluster.authority.certificate + authority.certificate },
    });
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    const expired = transportOf({
      credentials: { ...issued, authorities: cluster.authority.certificate },
      identify: identifyForCluster({ cluster: "reef" }),
    });
    await expect(expired.connect(listener.address)).rejects.toMatchObject({
      code: "OCTOPII_QUIC_PEER_REFUSED",
      message: expect.stringMatching(/expired/),
      details: { refusal: { by: "remote" } },
    });
  });

  it("is refused, not crashed upon, where identify throws", async () => {
    const errors = collectingLogger();
    const options = await optionsOf(cluster, 1);
    const server = createQuicTransport(
      {
        ...options,
        identify: () => {
          throw new Error("bug");
        },
      },
      { logger: errors },
    );
    transports.push(server);
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    await expect((await node(2)).connect(listener.address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_PEER_REFUSED" });
    expect(errors.errors).toHaveLength(1);
  });

  it("cannot be left out", async () => {
    const { credentials, identify } = await optionsOf(cluster, 1);
    for (const missing of [{ certificate: "" }, { privateKey: "" }, { authorities: "" }]) {
      expect(() => createQuicTransport({ credentials: { ...credentials, ...missing }, identify })).toThrow(RangeError);
    }
    const mixed = transportOf({ credentials: { ...credentials, privateKey: (await cluster.node(2)).privateKey }, identify });
    await expect(mixed.listen({ address: "127.0.0.1:0", onConnection: () => undefined })).rejects.toMatchObject({
      code: "OCTOPII_QUIC_INVALID_CREDENTIALS",
    });
    const nonsense = transportOf({ credentials: { ...credentials, certificate: "nonsense" }, identify });
    await expect(nonsense.connect("127.0.0.1:9")).rejects.toMatchObject({ code: "OCTOPII_QUIC_INVALID_CREDENTIALS" });
  });
});

describe("connecting", () => {
  it("works over IPv6, and by name", async () => {
    const { listener } = await listening({}, "[::1]:0");
    expect(listener.address).toMatch(/^\[::1\]:\d+$/);
    const connection = await (await node(2)).connect(`[0:0:0:0:0:0:0:1]:${portOf(listener.address)}`);
    expect(connection.remoteAddress).toBe(listener.address);
    const named = await listening({}, "localhost:0");
    await (await node(3)).connect(`localhost:${portOf(named.listener.address)}`);
    await expect((await node(4)).connect("no-such-host.invalid:5")).rejects.toMatchObject({ code: "OCTOPII_QUIC_UNRESOLVED_ADDRESS" });
  });

  it("to nobody ends at the deadline", async () => {
    const nobody = await plainSocket();
    const { port } = nobody.address();
    const transport = await node(2, { connectTimeoutMs: 150 });
    await expect(transport.connect(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    await expect(transport.connect(`127.0.0.1:${port}`, { timeoutMs: 60 })).rejects.toThrow(/60 ms/);
    nobody.close();
    await once(nobody, "close");
    await expect(transport.connect(`127.0.0.1:${port}`)).rejects.toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    await expect(transport.connect(`127.0.0.1:${port}`, { timeoutMs: 0 })).rejects.toBeInstanceOf(RangeError);
  });

  it("ends with the caller's own reason when the caller gives up", async () => {
    const nobody = await plainSocket();
    const address = `127.0.0.1:${nobody.address().port}`;
    const transport = await node(2);
    const controller = new AbortController();
    const dial = transport.connect(address, { signal: controller.signal });
    const reason = new Error("changed my mind");
    setTimeout(() => controller.abort(reason), 20);
    await expect(dial).rejects.toBe(reason);
    await expect(transport.connect(address, { signal: controller.signal })).rejects.toBe(reason);
    nobody.close();
  });

  it("to a wrong address says so", async () => {
    const transport = await node(2);
    for (const address of ["nowhere", "127.0.0.1:0", "0.0.0.0:5", "[::]:5"]) {
      await expect(transport.connect(address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_INVALID_ADDRESS" });
    }
  });

  it("to many at once is not held up by the dead among them", async () => {
    const nobody = await plainSocket();
    const dead = `127.0.0.1:${nobody.address().port}`;
    const { listener, accepted } = await listening();
    const transport = await node(2);
    const lost = Promise.allSettled(Array.from({ length: 20 }, () => transport.connect(dead, { timeoutMs: 1_500 })));
    const alive = await Promise.all(Array.from({ length: 40 }, () => transport.connect(listener.address)));
    expect(new Set(alive).size).toBe(40);
    await until(() => accepted.length === 40);
    expect((await lost).every(({ status }) => status === "rejected")).toBe(true);
    nobody.close();
  });

  it("dials from the port it listens on", async () => {
    const { listener, accepted } = await listening();
    const transport = await node(2);
    const own = await transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    await transport.connect(listener.address);
    await until(() => accepted.length === 1);
    expect(accepted[0]?.remoteAddress).toBe(own.address);
    const self = await transport.connect(own.address);
    expect(self.peer.nodeId).toBe(2);
  });

  it("stops at the limit of connections", async () => {
    const { listener, accepted } = await listening({ maxConnections: 2 });
    const transport = await node(2, { connectTimeoutMs: 300, maxConnections: 3 });
    const [first] = await Promise.all([transport.connect(listener.address), transport.connect(listener.address)]);
    await expect(transport.connect(listener.address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    first?.close(0, "");
    await until(() => accepted.length === 2);
    await accepted[0]?.closed;
    await transport.connect(listener.address);
  });

  it("is not possible on a closed transport", async () => {
    const transport = await node(2);
    const { listener } = await listening();
    const dial = transport.connect(listener.address);
    const closing = transport.close();
    await expect(dial).rejects.toMatchObject({ code: "OCTOPII_QUIC_TRANSPORT_CLOSED" });
    await closing;
    await expect(transport.connect(listener.address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_TRANSPORT_CLOSED" });
    await expect(transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined })).rejects.toMatchObject({
      code: "OCTOPII_QUIC_TRANSPORT_CLOSED",
    });
  });

  it("says which transport to take where there is no engine, and importing does no harm", async () => {
    const loadEngine = () =>
      import("../src/adapters/engine.js").then(({ loadNativeEngine }) => loadNativeEngine(() => Promise.reject(new Error("no binary"))));
    const transport = await node(1, {}, { loadEngine });
    for (const attempt of [transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined }), transport.connect("127.0.0.1:5")]) {
      await expect(attempt).rejects.toMatchObject({
        code: "OCTOPII_QUIC_UNAVAILABLE",
        message: expect.stringContaining("@octopii/transport-tcp"),
      });
    }
  });
});

describe("listening", () => {
  it("on a taken port names it and the remedy", async () => {
    const { listener } = await listening();
    const late = (await node(2)).listen({ address: listener.address, onConnection: () => undefined });
    await expect(late).rejects.toMatchObject({
      code: "OCTOPII_QUIC_ADDRESS_IN_USE",
      cause: { code: "EADDRINUSE" },
      message: expect.stringMatching(new RegExp(`^${listener.address} is in use .* port`)),
    });
    const unusable = (await node(2)).listen({ address: "192.0.2.1:0", onConnection: () => undefined });
    await expect(unusable).rejects.toMatchObject({ code: "OCTOPII_QUIC_ADDRESS_UNUSABLE", cause: { code: "EADDRNOTAVAIL" } });
  });

  it("ends without ending open connections, and frees the port when they are gone", async () => {
    const { transport, listener, accepted } = await listening();
    const dialer = await node(2, { connectTimeoutMs: 200 });
    const connection = await dialer.connect(listener.address);
    await until(() => accepted.length === 1);
    const [acceptor] = accepted;
    if (acceptor !== undefined) echo(acceptor);
    await listener.close();
    await listener.close();
    await expect(dialer.connect(listener.address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    const stream = connection.openStream("p");
    stream.write(text("still here"));
    stream.end();
    expect(toText(await readAll(stream))).toBe("still here");
    await transport.close();
    const again = await (await node(3)).listen({ address: listener.address, onConnection: () => undefined });
    await again.close();
    await (await node(3)).listen({ address: listener.address, onConnection: () => undefined });
  });

  it("survives garbage of every kind", async () => {
    const { listener, accepted } = await listening();
    const port = portOf(listener.address);
    const socket = await plainSocket();
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 16;
    };
    const first = [0x00, 0x40, 0x7f, 0x80, 0xc0, 0xd0, 0xe0, 0xf0, 0xff];
    for (let i = 0; i < 3_000; i += 1) {
      const bytes = Buffer.alloc([0, 1, 20, 43, 100, 1_200, 1_400][random() % 7] ?? 0);
      for (let at = 0; at < Math.min(60, bytes.length); at += 1) bytes[at] = random();
      if (bytes.length > 0) bytes[0] = first[random() % first.length] ?? 0;
      if (bytes.length > 6 && random() % 2 === 0) bytes.set([0, 0, 0, 1, random() % 24], 1);
      socket.send(bytes, port, "127.0.0.1");
      if (i % 200 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    const connection = await (await node(2)).connect(listener.address);
    expect(connection.peer.nodeId).toBe(1);
    expect(accepted).toHaveLength(1);
    socket.close();
  });

  it("answers an unknown version with its own, and small packets not at all", async () => {
    const { listener } = await listening();
    const socket = await plainSocket();
    const packet = Buffer.alloc(1_200);
    packet.set([0xc0, 0x0a, 0x0a, 0x0a, 0x0a, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0]);
    socket.send(packet.subarray(0, 1_199), portOf(listener.address), "127.0.0.1");
    socket.send(packet, portOf(listener.address), "127.0.0.1");
    const [answer] = (await once(socket, "message")) as [Buffer];
    expect([...answer.subarray(1)]).toEqual([0, 0, 0, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1]);
    socket.close();
  });

  it("gives an attempt that never finishes up", async () => {
    const { listener, accepted } = await listening({ handshakeTimeoutMs: 150, maxUnestablished: 1 });
    const state = { drop: false };
    const sockets = {
      ...nodeUdpSockets,
      open: async (options: Parameters<typeof nodeUdpSockets.open>[0]) =>
        nodeUdpSockets.open({
          ...options,
          onDatagram: (datagram, host, port) => {
            // The Retry comes through, so that the server makes a connection; its handshake does not.
            if (((datagram[0] ?? 0) & 0xf0) !== 0xf0 && state.drop) return;
            options.onDatagram(datagram, host, port);
          },
        }),
    };
    const half = await node(2, { connectTimeoutMs: 400 }, { sockets });
    state.drop = true;
    const dial = half.connect(listener.address);
    const late = await node(3, { connectTimeoutMs: 10_000 });
    const caught = expect(dial).rejects.toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    await late.connect(listener.address);
    await caught;
    expect(accepted).toHaveLength(1);
  });

  it("restarted tells old peers at once that their connections are gone", async () => {
    const network = { seed: 1, loss: 0 };
    const crashing = await node(1, {}, { sockets: faultySockets(network) });
    const { address } = await crashing.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    const dialer = await (await node(2, { idleTimeoutMs: 60_000 })).connect(address);
    // Its last words are lost, as if the process had been killed.
    network.loss = 1;
    await crashing.close();
    await (await node(1)).listen({ address, onConnection: () => undefined });
    dialer.openStream("p").write(text("hello?"));
    expect(await dialer.closed).toMatchObject({ by: "error", code: quicCodes.statelessReset });
  });
});

describe("leaving", () => {
  it("leaves no handle behind", async () => {
    const handles = () => process.getActiveResourcesInfo().filter((name) => name.startsWith("UDP") || name === "Timeout").length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = handles();
    const pair = await connectPair(cluster);
    echo(pair.acceptor);
    const stream = pair.dialer.openStream("p");
    stream.write(text("x"));
    stream.end();
    await readAll(stream);
    expect(handles()).toBeGreaterThan(before);
    await pair.close();
    await until(() => handles() <= before);
  });
});
