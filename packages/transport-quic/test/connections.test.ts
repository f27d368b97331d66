import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { quicCodes } from "../src/index.js";
import { Nodes, plainSocket, portOf } from "./nodes.js";
import { connectPair, text, toText, until } from "./support.js";

const nodes = new Nodes();

describe("closing a connection", () => {
  it.each(["dialer", "acceptor"] as const)("tells the peer code and reason, closed by the %s", async (end) => {
    const pair = await connectPair(nodes.cluster);
    nodes.closeAfterwards(...pair.transports);
    const [closer, peer] = end === "dialer" ? [pair.dialer, pair.acceptor] : [pair.acceptor, pair.dialer];
    closer.close(4_294_967_295, "enough für heute");
    closer.close(1, "again");
    expect(await closer.closed).toEqual({ by: "local", code: 4_294_967_295, reason: "enough für heute" });
    expect(await peer.closed).toEqual({ by: "remote", code: 4_294_967_295, reason: "enough für heute" });
  });

  it("by closing the whole transport is told apart", async () => {
    const pair = await connectPair(nodes.cluster);
    nodes.closeAfterwards(...pair.transports);
    await pair.transports[0].close();
    expect(await pair.acceptor.closed).toMatchObject({ by: "local", code: quicCodes.transportClosed });
    expect(await pair.dialer.closed).toMatchObject({ by: "remote", code: quicCodes.transportClosed });
    expect(pair.transports[0].close()).toBe(pair.transports[0].close());
  });

  it("delivers what came before it", async () => {
    const { listener, accepted } = await nodes.listening();
    const dialer = await (await nodes.node(2)).connect(listener.address);
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
    const { listener, accepted } = await nodes.listening({ idleTimeoutMs: 300 });
    const dialer = await (await nodes.node(2, { idleTimeoutMs: 300 }, { sockets })).connect(listener.address);
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

describe("connecting", () => {
  it("works over IPv6, and by name", async () => {
    const { listener } = await nodes.listening({}, "[::1]:0");
    expect(listener.address).toMatch(/^\[::1\]:\d+$/);
    const connection = await (await nodes.node(2)).connect(`[0:0:0:0:0:0:0:1]:${portOf(listener.address)}`);
    expect(connection.remoteAddress).toBe(listener.address);
    const named = await nodes.listening({}, "localhost:0");
    await (await nodes.node(3)).connect(`localhost:${portOf(named.listener.address)}`);
    await expect((await nodes.node(4)).connect("no-such-host.invalid:5")).rejects.toMatchObject({
      code: "OCTOPII_QUIC_UNRESOLVED_ADDRESS",
    });
  });

  it("to nobody ends at the deadline", async () => {
    const nobody = await plainSocket();
    const { port } = nobody.address();
    const transport = await nodes.node(2, { connectTimeoutMs: 150 });
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
    const transport = await nodes.node(2);
    const controller = new AbortController();
    const dial = transport.connect(address, { signal: controller.signal });
    const reason = new Error("changed my mind");
    setTimeout(() => controller.abort(reason), 20);
    await expect(dial).rejects.toBe(reason);
    await expect(transport.connect(address, { signal: controller.signal })).rejects.toBe(reason);
    nobody.close();
  });

  it("to a wrong address says so", async () => {
    const transport = await nodes.node(2);
    for (const address of ["nowhere", "127.0.0.1:0", "0.0.0.0:5", "[::]:5"]) {
      await expect(transport.connect(address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_INVALID_ADDRESS" });
    }
  });

  it("to many at once is not held up by the dead among them", async () => {
    const nobody = await plainSocket();
    const dead = `127.0.0.1:${nobody.address().port}`;
    const { listener, accepted } = await nodes.listening();
    const transport = await nodes.node(2);
    const lost = Promise.allSettled(Array.from({ length: 20 }, () => transport.connect(dead, { timeoutMs: 1_500 })));
    const alive = await Promise.all(Array.from({ length: 40 }, () => transport.connect(listener.address)));
    expect(new Set(alive).size).toBe(40);
    await until(() => accepted.length === 40);
    expect((await lost).every(({ status }) => status === "rejected")).toBe(true);
    nobody.close();
  });

  it("dials from the port it listens on", async () => {
    const { listener, accepted } = await nodes.listening();
    const transport = await nodes.node(2);
    const own = await transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    await transport.connect(listener.address);
    await until(() => accepted.length === 1);
    expect(accepted[0]?.remoteAddress).toBe(own.address);
    const self = await transport.connect(own.address);
    expect(self.peer.nodeId).toBe(2);
  });

  it("stops at the limit of connections", async () => {
    const { listener, accepted } = await nodes.listening({ maxConnections: 2 });
    const transport = await nodes.node(2, { connectTimeoutMs: 300, maxConnections: 3 });
    const [first] = await Promise.all([transport.connect(listener.address), transport.connect(listener.address)]);
    await expect(transport.connect(listener.address)).rejects.toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    first?.close(0, "");
    await until(() => accepted.length === 2);
    await accepted[0]?.closed;
    await transport.connect(listener.address);
  });

  it("is not possible on a closed transport", async () => {
    const transport = await nodes.node(2);
    const { listener } = await nodes.listening();
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
    const transport = await nodes.node(1, {}, { loadEngine });
    for (const attempt of [transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined }), transport.connect("127.0.0.1:5")]) {
      await expect(attempt).rejects.toMatchObject({
        code: "OCTOPII_QUIC_UNAVAILABLE",
        message: expect.stringContaining("@octopii/transport-tcp"),
      });
    }
  });
});
