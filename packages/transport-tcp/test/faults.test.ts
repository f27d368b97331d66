import { createManualTime, createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { tcpCodes } from "../src/codes.js";
import type { TlsServer, TlsSocket, TlsSockets } from "../src/ports.js";
import { createTcpTransport } from "../src/tcp-transport.js";
import { encodeHello } from "../src/wire/frame.js";
import { collectingLogger, createCluster, optionsOf } from "./support.js";

const options = await optionsOf(await createCluster(), 1);
const microtasks = async (): Promise<void> => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

/** A socket on which nothing happens but what the test does. */
function idleSocket(overrides: Partial<TlsSocket> = {}): TlsSocket {
  return {
    remoteAddress: "10.0.0.2:7001",
    onSecure: null,
    onDrain: null,
    onData: null,
    onClose: null,
    peerChain: () => [],
    take: () => new Uint8Array(1024),
    send: () => undefined,
    giveBack: () => undefined,
    end: () => undefined,
    destroy: () => undefined,
    ...overrides,
  };
}

describe("a fault of the transport's own", () => {
  it("costs the one connection on which it shows, and is logged, but never leaves the socket's callback", async () => {
    const time = createManualTime();
    const logger = collectingLogger();
    let faulty = false;
    const socket = idleSocket({
      send: () => {
        if (faulty) throw new Error("a fault");
      },
    });
    const sockets: TlsSockets = {
      createContext: (settings) => ({ settings }),
      connect: () => socket,
      listen: () => Promise.reject(new Error("nobody listens")),
    };
    const identify = () => ({ accepted: true as const, peer: { name: "node-2", cluster: null, nodeId: 2 } });
    const transport = createTcpTransport({ ...options, identify }, { ...time, random: createRandom(1), sockets, logger });
    const dialed = transport.connect("10.0.0.2:7001");
    socket.onSecure?.(null);
    socket.onData?.(encodeHello({ maxFrameBytes: 65_536, streamWindowBytes: 65_536, connectionWindowBytes: 65_536, streams: 10 }));
    const connection = await dialed;
    time.advance(1);
    faulty = true;
    connection.openStream("p").write(new Uint8Array(10));
    expect(() => time.advance(1)).not.toThrow();
    socket.onClose?.(null);
    expect(await connection.closed).toMatchObject({ by: "error", code: tcpCodes.failure });
    expect(logger.errors).toHaveLength(1);
  });
});

describe("a transport that is closed while it opens a listener", () => {
  it("is closed only when that is closed too", async () => {
    let opened: (server: TlsServer) => void = () => undefined;
    let closedServers = 0;
    const sockets: TlsSockets = {
      createContext: (settings) => ({ settings }),
      connect: () => idleSocket(),
      listen: () =>
        new Promise((resolve) => {
          opened = resolve;
        }),
    };
    const transport = createTcpTransport(options, { ...createManualTime(), random: createRandom(1), sockets });
    const listening = transport.listen({ address: "127.0.0.1:0", onConnection: () => undefined }).catch((error: unknown) => error);
    let isClosed = false;
    const closed = transport.close().then(() => {
      isClosed = true;
    });
    await microtasks();
    expect(isClosed).toBe(false);
    opened({
      host: "127.0.0.1",
      port: 1,
      close: async () => {
        closedServers += 1;
      },
    });
    await closed;
    expect(closedServers).toBe(1);
    expect(await listening).toMatchObject({ code: "OCTOPII_TCP_TRANSPORT_CLOSED" });
  });
});
