import { once } from "node:events";
import { describe, expect, it } from "vitest";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { quicCodes } from "../src/index.js";
import { faultySockets } from "./faulty-sockets.js";
import { Nodes, plainSocket, portOf } from "./nodes.js";
import { connectPair, echo, readAll, text, toText, until } from "./support.js";

const nodes = new Nodes();

describe("listening", () => {
  it("on a taken port names it and the remedy", async () => {
    const { listener } = await nodes.listening();
    const late = (await nodes.node(2)).listen({ address: listener.address, onConnection: () => undefined });
    await expect(late).rejects.toMatchObject({
      code: "OCTOPII_QUIC_ADDRESS_IN_USE",
      cause: { code: "EADDRINUSE" },
      message: expect.stringMatching(new RegExp(`^${listener.address} is in use .* port`)),
    });
    const unusable = (await nodes.node(2)).listen({ address: "192.0.2.1:0", onConnection: () => undefined });
    await expect(unusable).rejects.toMatchObject({ code: "OCTOPII_QUIC_ADDRESS_UNUSABLE", cause: { code: "EADDRNOTAVAIL" } });
  });

  it("ends without ending open connections, and frees the port when they are gone", async () => {
    const { transport, listener, accepted } = await nodes.listening();
    const dialer = await nodes.node(2, { connectTimeoutMs: 200 });
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
    const again = await (await nodes.node(3)).listen({ address: listener.address, onConnection: () => undefined });
    await again.close();
    await (await nodes.node(3)).listen({ address: listener.address, onConnection: () => undefined });
  });

  it("ends while others dial, one way or the other for each, and leaves nothing open", async () => {
    for (let round = 0; round < 8; round += 1) {
      const { transport, listener } = await nodes.listening();
      const dialer = await nodes.node(2, { connectTimeoutMs: 400 });
      const dials = Promise.allSettled(Array.from({ length: 5 }, () => dialer.connect(listener.address)));
      await new Promise((resolve) => setTimeout(resolve, round * 2));
      await listener.close();
      for (const outcome of await dials) {
        if (outcome.status === "rejected") expect(outcome.reason.details).not.toHaveProperty("refusal");
        else outcome.value.close(0, "");
      }
      await Promise.all([dialer.close(), transport.close()]);
    }
  });

  it("survives garbage of every kind", async () => {
    const { listener, accepted } = await nodes.listening();
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
    const connection = await (await nodes.node(2)).connect(listener.address);
    expect(connection.peer.nodeId).toBe(1);
    expect(accepted).toHaveLength(1);
    socket.close();
  });

  it("answers an unknown version with its own, and small packets not at all", async () => {
    const { listener } = await nodes.listening();
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
    const { listener, accepted } = await nodes.listening({ handshakeTimeoutMs: 150, maxUnestablished: 1 });
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
    const half = await nodes.node(2, { connectTimeoutMs: 400 }, { sockets });
    state.drop = true;
    const dial = half.connect(listener.address);
    const late = await nodes.node(3, { connectTimeoutMs: 10_000 });
    const caught = expect(dial).rejects.toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    await late.connect(listener.address);
    await caught;
    expect(accepted).toHaveLength(1);
  });

  it("restarted tells old peers at once that their connections are gone", async () => {
    const network = { seed: 1, loss: 0 };
    const crashing = await nodes.node(1, {}, { sockets: faultySockets(network) });
    const { address } = await crashing.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    const dialer = await (await nodes.node(2, { idleTimeoutMs: 60_000 })).connect(address);
    // Its last words are lost, as if the process had been killed.
    network.loss = 1;
    await crashing.close();
    await (await nodes.node(1)).listen({ address, onConnection: () => undefined });
    dialer.openStream("p").write(text("hello?"));
    expect(await dialer.closed).toMatchObject({ by: "error", code: quicCodes.statelessReset });
  });
});

describe("leaving", () => {
  it("leaves no handle behind", async () => {
    const handles = () => process.getActiveResourcesInfo().filter((name) => name.startsWith("UDP") || name === "Timeout").length;
    await new Promise((resolve) => setTimeout(resolve, 50));
    const before = handles();
    const pair = await connectPair(nodes.cluster);
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
