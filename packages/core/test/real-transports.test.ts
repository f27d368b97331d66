import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createAuthority,
  type IssuedCertificate,
  identifyForCluster,
  issueClientCertificate,
  issueNodeCertificate,
} from "@octopii/certificates";
import type { TlsCredentials, Transport } from "@octopii/interfaces";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createClient, createNode, keyValueClient, keyValueStore, type Node } from "../src/index.js";

const cluster = "reef";
const ids = [1, 2, 3];
const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

const create = { quic: createQuicTransport, tcp: createTcpTransport };
type Kind = keyof typeof create;

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

const credentialsOf = (own: IssuedCertificate, authority: IssuedCertificate): TlsCredentials => ({
  ...own,
  authorities: authority.certificate,
});
const nodeCertificate = (authority: IssuedCertificate, nodeId: number) =>
  issueNodeCertificate(authority, { cluster, nodeId, name: `node-${nodeId}` });

async function startCluster(transport: Kind): Promise<{ nodes: Node[]; authority: IssuedCertificate; addresses: string[] }> {
  const authority = await createAuthority({ cluster });
  const root = await mkdtemp(join(tmpdir(), "octopii-transports-"));
  cleanUps.push(() => rm(root, { recursive: true }));
  const members = await Promise.all(ids.map(async (id) => ({ id, address: `127.0.0.1:${await freePort()}` })));
  const nodes = await Promise.all(
    ids.map(async (id) => {
      const credentials = credentialsOf(await nodeCertificate(authority, id), authority);
      const directory = join(root, `node-${id}`);
      return createNode({ id, cluster, directory, members, credentials, transport, tickMs: 20 }, { stateMachine: keyValueStore() });
    }),
  );
  cleanUps.push(() => Promise.all(nodes.map((node) => node.close())));
  await Promise.all(nodes.map((node) => node.start()));
  return { nodes, authority, addresses: members.map(({ address }) => address) };
}

const bytes = (text: string) => new TextEncoder().encode(text);
const last = <T>(list: readonly T[]): T => {
  const value = list.at(-1);
  if (value === undefined) throw new Error("the list is empty");
  return value;
};

describe.each(["quic", "tcp"] satisfies Kind[])("a cluster of three nodes on %s", (transport) => {
  it("replicates, serves a client, survives a loss, and rotates its certificates while it runs", async () => {
    const { nodes, authority, addresses } = await startCluster(transport);
    await keyValueClient(last(nodes)).put("colour", bytes("green"), { timeoutMs: 10_000 });
    const own = await issueClientCertificate(authority, { cluster, name: "laptop" });
    const mine: Transport = create[transport]({ credentials: credentialsOf(own, authority), identify: identifyForCluster({ cluster }) });
    const client = createClient({ addresses }, { transport: mine });
    cleanUps.push(() => client.close());
    expect(await keyValueClient(client).get("colour")).toEqual(bytes("green"));
    for (const node of nodes) await node.replaceCredentials(credentialsOf(await nodeCertificate(authority, node.id), authority));
    // Its leader goes: the others meet on connections that are made now, with the new certificates.
    const leader = nodes.find((node) => node.status().role === "leader");
    await leader?.close();
    const survivors = nodes.filter((node) => node !== leader);
    await vi.waitUntil(() => survivors.some((node) => node.status().role === "leader"), { timeout: 10_000 });
    await keyValueClient(last(survivors)).put("colour", bytes("blue"), { timeoutMs: 10_000 });
    for (const node of survivors) expect(await keyValueClient(node).get("colour", { timeoutMs: 10_000 })).toEqual(bytes("blue"));
  });

  it("refuses a certificate that does not fit the node", async () => {
    const { nodes, authority } = await startCluster(transport);
    const others = credentialsOf(await nodeCertificate(authority, 9), authority);
    await expect(last(nodes).replaceCredentials(others)).rejects.toMatchObject({ code: "OCTOPII_CORE_CONFIGURATION_INVALID" });
  });
});
