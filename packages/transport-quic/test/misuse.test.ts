import { randomBytes } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import {
  createAuthority,
  type IssuedCertificate,
  identifyForCluster,
  issueClientCertificate,
  issueNodeCertificate,
} from "@octopii/certificates";
import type { Clock, Identify, IdentityRefusal, Listener, Transport } from "@octopii/interfaces";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { nodeUdpSockets } from "../src/adapters/udp-socket.js";
import { createQuicTransport, type QuicTransportPorts } from "../src/index.js";
import { plainSocket, portOf } from "./nodes.js";
import { RawClient, type RawClientOptions } from "./raw-client.js";
import { selfSigned } from "./self-signed.js";
import { createCluster, until } from "./support.js";

const cluster = await createCluster("reef");
const { authority } = cluster;
const dayMs = 24 * 60 * 60 * 1000;
const at = (days: number): { readonly clock: Clock } => ({
  clock: { now: () => 0, wallTime: () => Date.now() + days * dayMs },
});

const nodeOf = (issuer: IssuedCertificate, name: string, ports = {}, validityDays = 300): Promise<IssuedCertificate> =>
  issueNodeCertificate(issuer, { cluster: name, nodeId: 7, name: "node-7", validityDays }, ports);

const good = await cluster.node(1);
// All accept these authorities, so that dates, names and usages are judged on their own.
const old = await createAuthority({ cluster: "reef" }, at(-100));
const lagoon = await createAuthority({ cluster: "lagoon" });
const trusted = [authority, old, lagoon].map(({ certificate }) => certificate).join("");

/** Certificates that must not get anywhere, and what is said of each by the side that refuses it. */
const imposters: Readonly<Record<string, { readonly own: IssuedCertificate; readonly said: RegExp }>> = {
  "of another authority": { own: await nodeOf(await createAuthority({ cluster: "reef" }), "reef"), said: /TLS alert (42|48|51), / },
  "signed by itself": { own: selfSigned, said: /TLS alert (42|46|48), / },
  "that has expired": { own: await nodeOf(old, "reef", at(-100), 1), said: /expired/ },
  "that is not valid yet": { own: await nodeOf(old, "reef", at(50), 1), said: /not yet valid|TLS alert 42/ },
  "of another cluster": { own: await nodeOf(lagoon, "lagoon"), said: /cluster 'lagoon'/ },
  "of a client, for a server": { own: await issueClientCertificate(authority, { cluster: "reef", name: "laptop" }), said: /TLS alert/ },
};

function transport(own: IssuedCertificate, identify: Identify = identifyForCluster({ cluster: "reef" }), ports: QuicTransportPorts = {}) {
  const credentials = { ...own, authorities: trusted };
  return createQuicTransport({ credentials, identify, handshakeTimeoutMs: 300, connectTimeoutMs: 3_000 }, ports);
}

const anybody: Identify = () => ({ accepted: true, peer: { name: "?", cluster: null, nodeId: null } });
const refusalOf = (error: unknown) => (error as { details?: { refusal?: IdentityRefusal } }).details?.refusal;
const failureOf = (dial: Promise<unknown>) => dial.then(() => null).catch((error: unknown) => error);

describe("an honest listener", () => {
  let server: Transport;
  let listener: Listener;
  let accepted = 0;
  const clients: RawClient[] = [];
  const sockets: Socket[] = [];

  beforeAll(async () => {
    server = transport(good);
    listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => (accepted += 1) });
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.stop()));
    for (const socket of sockets.splice(0)) socket.close();
    expect(accepted).toBe(0);
  });
  afterAll(() => server.close());

  const refused = Object.entries(imposters).filter(([name]) => name !== "of a client, for a server");
  it.each(refused)("refuses a certificate %s, and says why", async (_name, { own, said }) => {
    const dialer = transport(own, anybody);
    expect(refusalOf(await failureOf(dialer.connect(listener.address)))).toEqual({ by: "remote", reason: expect.stringMatching(said) });
    await dialer.close();
  });

  const start = async (options: RawClientOptions) => {
    const client = await RawClient.start(listener.address, { ...good, authorities: trusted }, options);
    clients.push(client);
    return client;
  };

  it.each([
    ["no certificate", { withoutCertificate: true }, 116],
    ["an unknown application protocol", { applicationProtocol: "h3" }, 120],
  ])("refuses %s", async (_name, options, alert) => {
    const client = await start(options);
    expect(await client.closed()).toMatchObject({ application: false, code: 0x100 + alert });
  });

  const plain = async (...datagrams: Uint8Array[]) => {
    const socket = await plainSocket();
    sockets.push(socket);
    let answers = 0;
    socket.on("message", () => (answers += 1));
    for (const datagram of datagrams) socket.send(datagram, portOf(listener.address), "127.0.0.1");
    await new Promise((resolve) => setTimeout(resolve, 60));
    return answers;
  };

  it("drops plain bytes, random bytes and empty datagrams without a word", async () => {
    const random = Array.from({ length: 50 }, () => Uint8Array.from(randomBytes(1_200)).map((byte, i) => (i === 0 ? byte & 0x3f : byte)));
    expect(await plain(Buffer.from("GET / HTTP/1.1\r\n\r\n"), new Uint8Array(0), ...random)).toBeLessThanOrEqual(random.length);
  });

  it("drops a handshake that is cut off, or replayed from another address, or later", async () => {
    const sent: Uint8Array[] = [];
    const recording: QuicTransportPorts = {
      sockets: {
        ...nodeUdpSockets,
        open: async (options) => {
          const socket = await nodeUdpSockets.open(options);
          return {
            host: socket.host,
            port: socket.port,
            take: () => socket.take(),
            giveBack: (buffer) => socket.giveBack(buffer),
            close: () => socket.close(),
            send: (buffer, length, host, port) => {
              sent.push(buffer.slice(0, length));
              socket.send(buffer, length, host, port);
            },
          };
        },
      },
    };
    const dialer = transport(await cluster.node(2), undefined, recording);
    await dialer.connect(listener.address);
    await dialer.close();
    await until(() => accepted === 1);
    accepted = 0;
    expect(sent.length).toBeGreaterThan(3);
    await plain(...sent, ...sent);
    // The second Initial, which brings the token of another address, and nothing after it.
    await plain(...sent.slice(1, 2));
    await plain(...sent.map((datagram) => datagram.subarray(0, datagram.length >> 1)));
  });

  it("serves a good node after all that", async () => {
    const dialer = transport(await cluster.node(2));
    expect((await dialer.connect(listener.address)).peer.nodeId).toBe(1);
    await until(() => accepted === 1);
    accepted = 0;
    await dialer.close();
  });
});

describe("an honest dialer", () => {
  it.each(Object.entries(imposters))("refuses a listener with a certificate %s, and says why", async (_name, { own, said }) => {
    let accepted = 0;
    const server = transport(own, anybody);
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => (accepted += 1) });
    const dialer = transport(good);
    expect(refusalOf(await failureOf(dialer.connect(listener.address)))).toEqual({ by: "local", reason: expect.stringMatching(said) });
    await Promise.all([dialer.close(), server.close()]);
    expect(accepted).toBe(0);
  });

  it("refuses another node's id", async () => {
    const server = transport(await cluster.node(3), anybody);
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    const ours = identifyForCluster({ cluster: "reef" });
    const dialer = transport(good, (chain) => {
      const verdict = ours(chain);
      return verdict.accepted && verdict.peer.nodeId !== 2 ? { accepted: false, reason: "node 2 was expected" } : verdict;
    });
    expect(refusalOf(await failureOf(dialer.connect(listener.address)))).toEqual({ by: "local", reason: "node 2 was expected" });
    await Promise.all([dialer.close(), server.close()]);
  });

  it("hears no word from a socket that answers with noise", async () => {
    const noise = createSocket("udp4", (_datagram, { port }) => noise.send(randomBytes(1_200), port, "127.0.0.1"));
    noise.bind(0, "127.0.0.1");
    await once(noise, "listening");
    const dialer = transport(good);
    const error = await failureOf(dialer.connect(`127.0.0.1:${noise.address().port}`, { timeoutMs: 300 }));
    expect(error).toMatchObject({ code: "OCTOPII_QUIC_CONNECT_TIMEOUT" });
    await dialer.close();
    noise.close();
  });
});
