import { randomBytes } from "node:crypto";
import { connect as connectTcp, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls } from "node:tls";
import {
  createAuthority,
  type IssuedCertificate,
  identifyForCluster,
  issueClientCertificate,
  issueNodeCertificate,
} from "@octopii/certificates";
import type { Clock, Identify, IdentityRefusal, Listener, TlsCredentials, Transport } from "@octopii/interfaces";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parseAddress } from "../src/address.js";
import { createTcpTransport } from "../src/index.js";
import { createCluster, turns, until } from "./support.js";

const cluster = await createCluster("reef");
const { authority } = cluster;
const dayMs = 24 * 60 * 60 * 1000;
const at = (days: number): { readonly clock: Clock } => ({
  clock: { now: () => 0, wallTime: () => Date.now() + days * dayMs },
});

async function nodeOf(issuer: IssuedCertificate, name: string, ports = {}, validityDays = 300): Promise<IssuedCertificate> {
  return issueNodeCertificate(issuer, { cluster: name, nodeId: 7, name: "node-7", validityDays }, ports);
}

/** Certificates that must not get anywhere, and what is said of each by the side that refuses it. */
async function imposters(): Promise<Record<string, { readonly own: IssuedCertificate; readonly said: RegExp }>> {
  const otherAuthority = await createAuthority({ cluster: "reef" });
  const client = await issueClientCertificate(authority, { cluster: "reef", name: "laptop" });
  return {
    "of another authority": { own: await nodeOf(otherAuthority, "reef"), said: /unknown authority/ },
    "signed by itself": { own: await createAuthority({ cluster: "reef" }), said: /unknown authority|usage|purpose/ },
    "that has expired": { own: await nodeOf(old, "reef", at(-100), 1), said: /expired/ },
    "that is not valid yet": { own: await nodeOf(old, "reef", at(50), 1), said: /not yet valid/ },
    "of another cluster": { own: await nodeOf(lagoon, "lagoon"), said: /cluster 'lagoon'/ },
    "of a client, for a server": { own: client, said: /usage|name/ },
  };
}

const good = await cluster.node(1);
// All accept these authorities, so that dates, names and usages are judged on their own.
const old = await createAuthority({ cluster: "reef" }, at(-100));
const lagoon = await createAuthority({ cluster: "lagoon" });
const trusted = [authority, old, lagoon].map(({ certificate }) => certificate).join("");
const cases = await imposters();

function transport(own: IssuedCertificate, identify: Identify = identifyForCluster({ cluster: "reef" }), authorities = trusted) {
  const credentials: TlsCredentials = { ...own, authorities };
  return createTcpTransport({ credentials, identify, handshakeTimeoutMs: 300, connectTimeoutMs: 2_000 });
}

const anybody: Identify = () => ({ accepted: true, peer: { name: "?", cluster: null, nodeId: null } });
const refusalOf = (error: unknown) => (error as { details?: { refusal?: IdentityRefusal } }).details?.refusal;

describe("an honest listener", () => {
  let server: Transport;
  let listener: Listener;
  let accepted = 0;

  beforeAll(async () => {
    server = transport(good);
    listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => (accepted += 1) });
  });
  afterAll(() => server.close());

  const refused = Object.entries(cases).filter(([name]) => name !== "of a client, for a server");
  it.each(refused)("refuses a certificate %s, and says why", async (_name, { own, said }) => {
    const dialer = transport(own, anybody);
    const error: unknown = await dialer.connect(listener.address).catch((reason: unknown) => reason);
    expect(refusalOf(error)).toEqual({ by: "remote", reason: expect.stringMatching(said) });
    await dialer.close();
    expect(accepted).toBe(0);
  });

  it.each([
    ["no certificate", {}],
    ["no application protocol", { ALPNProtocols: [], ...good }],
    ["an unknown application protocol", { ALPNProtocols: ["h2"], ...good }],
    ["TLS 1.2", { minVersion: "TLSv1.2", maxVersion: "TLSv1.2", ...good }],
  ] satisfies [string, ConnectionOptions][])("refuses %s", async (_name, options) => {
    const { certificate, privateKey, ...rest } = options as ConnectionOptions & Partial<IssuedCertificate>;
    const { host, port } = parseAddress(listener.address, { allowPortZero: false });
    const keys = certificate === undefined ? {} : { cert: certificate, key: privateKey ?? "" };
    const socket = connectTls({ host, port, rejectUnauthorized: false, ALPNProtocols: ["octopii-tcp/1"], ...keys, ...rest });
    socket.on("error", () => undefined);
    socket.on("data", () => undefined);
    await closeOf(socket);
    expect(accepted).toBe(0);
  });

  it.each([
    ["plain bytes", Buffer.from("GET / HTTP/1.1\r\n\r\n")],
    ["random bytes", randomBytes(10_000)],
    ["a truncated handshake", Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3])],
    ["silence", Buffer.alloc(0)],
  ])("drops a connection that brings %s", async (_name, bytes) => {
    const { host, port } = parseAddress(listener.address, { allowPortZero: false });
    const socket = connectTcp(port, host);
    socket.on("error", () => undefined);
    if (bytes.length > 0) socket.write(bytes);
    socket.resume();
    await closeOf(socket);
    expect(accepted).toBe(0);
  });

  it("drops a handshake that is replayed from another connection", async () => {
    const { host, port } = parseAddress(listener.address, { allowPortZero: false });
    const sent: Buffer[] = [];
    const recording = connectTcp(port, host);
    const write = recording.write.bind(recording);
    recording.write = ((chunk: Uint8Array, ...rest: []) => {
      sent.push(Buffer.from(chunk));
      return write(chunk, ...rest);
    }) as typeof recording.write;
    // A TLS client on a duplex that is no plain socket, so that every byte passes through `write`.
    const { Duplex } = await import("node:stream");
    const duplex = Duplex.from({ readable: recording, writable: recording });
    const tls = connectTls({
      socket: duplex,
      rejectUnauthorized: false,
      cert: good.certificate,
      key: good.privateKey,
      ALPNProtocols: ["octopii-tcp/1"],
    });
    tls.on("error", () => undefined);
    await new Promise((resolve) => tls.once("secureConnect", resolve));
    await turns();
    expect(sent.length).toBeGreaterThan(0);
    tls.destroy();
    recording.destroy();
    const replay = connectTcp(port, host);
    replay.on("error", () => undefined);
    replay.resume();
    replay.write(Buffer.concat(sent));
    await closeOf(replay);
    expect(accepted).toBe(0);
  });

  it("serves a good node after all that", async () => {
    const dialer = transport(await cluster.node(2));
    const connection = await dialer.connect(listener.address);
    expect(connection.peer.nodeId).toBe(1);
    await until(() => accepted === 1);
    await dialer.close();
  });
});

describe("an honest dialer", () => {
  const refused = Object.entries(cases);
  it.each(refused)("refuses a listener with a certificate %s, and says why", async (_name, { own, said }) => {
    let accepted = 0;
    const server = transport(own, anybody);
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => (accepted += 1) });
    const dialer = transport(good);
    const error: unknown = await dialer.connect(listener.address).catch((reason: unknown) => reason);
    expect(refusalOf(error)).toEqual({ by: "local", reason: expect.stringMatching(said) });
    await dialer.close();
    await server.close();
    expect(accepted).toBe(0);
  });

  it("refuses another node's id", async () => {
    const server = transport(await cluster.node(3), anybody);
    const listener = await server.listen({ address: "127.0.0.1:0", onConnection: () => undefined });
    const onlyNode2 = identifyForCluster({ cluster: "reef" });
    const dialer = transport(good, (chain) => {
      const verdict = onlyNode2(chain);
      return verdict.accepted && verdict.peer.nodeId !== 2 ? { accepted: false, reason: "node 2 was expected" } : verdict;
    });
    const error: unknown = await dialer.connect(listener.address).catch((reason: unknown) => reason);
    expect(refusalOf(error)).toEqual({ by: "local", reason: "node 2 was expected" });
    await dialer.close();
    await server.close();
  });
});

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => void socket.once("close", () => resolve()));
}
