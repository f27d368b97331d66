import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createAuthority, identifyForCluster, issueClientCertificate, issueNodeCertificate } from "@octopii/certificates";
import { type Client, createNode, keyValueStore, type Member } from "@octopii/core";
import type { Connection, Transport } from "@octopii/interfaces";
import { createQuicTransport } from "@octopii/transport-quic";
import { connect, readClientConfig } from "../../src/config/client-config.js";
import { findFreePorts } from "../../src/dev/ports.js";

/** A cluster of one node in this process, whose answers get lost on demand: what it was asked for has happened then. */
export interface LossyNode {
  readonly members: readonly Member[];
  /** A client's configuration, as a file. */
  readonly config: string;
  readonly client: Client;
  /** How many changes it has made. */
  readonly changes: number;
  /** The answers to the next changes are lost. */
  loseAnswers(count: number): void;
  close(): Promise<void>;
}

export async function openLossyNode(directory: string): Promise<LossyNode> {
  const [port = 0] = await findFreePorts(1);
  const cluster = "lossy";
  const authority = await createAuthority({ cluster });
  const own = await issueNodeCertificate(authority, { cluster, nodeId: 1, name: "node-1" });
  const credentials = { ...own, authorities: authority.certificate };
  const connections = new Set<Connection>();
  const transport = remembering(createQuicTransport({ credentials, identify: identifyForCluster({ cluster }) }), connections);
  const members: readonly Member[] = [{ id: 1, address: `127.0.0.1:${port}` }];
  const store = keyValueStore();
  let changes = 0;
  let losses = 0;
  const stateMachine = {
    apply: (...args: Parameters<typeof store.apply>) => {
      changes += 1;
      if (losses > 0) for (const connection of connections) connection.close(1, "lost");
      losses = Math.max(0, losses - 1);
      return store.apply(...args);
    },
    query: store.query,
  };
  const node = createNode({ cluster, id: 1, directory: join(directory, "data"), members, tickMs: 10 }, { stateMachine, transport });
  await node.start();
  const config = await writeClient(directory, cluster, authority, members);
  const client = connect(readClientConfig(config));
  return {
    members,
    config,
    client,
    get changes() {
      return changes;
    },
    loseAnswers: (count) => {
      losses = count;
    },
    close: async () => {
      await client.close();
      await node.close();
    },
  };
}

/** The transport, with its accepted connections kept in a set. */
function remembering(transport: Transport, connections: Set<Connection>): Transport {
  return {
    listen: ({ address, onConnection }) => {
      const remember = (connection: Connection): void => {
        connections.add(connection);
        void connection.closed.then(() => connections.delete(connection));
        onConnection(connection);
      };
      return transport.listen({ address, onConnection: remember });
    },
    connect: (address, options) => transport.connect(address, options),
    close: () => transport.close(),
  };
}

async function writeClient(
  directory: string,
  cluster: string,
  authority: Awaited<ReturnType<typeof createAuthority>>,
  members: readonly Member[],
): Promise<string> {
  const { certificate, privateKey } = await issueClientCertificate(authority, { cluster, name: "test" });
  writeFileSync(join(directory, "client.pem"), certificate);
  writeFileSync(join(directory, "client.key"), privateKey);
  writeFileSync(join(directory, "authority.pem"), authority.certificate);
  const paths = { certificate: "client.pem", privateKey: "client.key", authorities: "authority.pem" };
  const path = join(directory, "client.json");
  writeFileSync(path, JSON.stringify({ cluster, addresses: members.map(({ address }) => address), ...paths }));
  return path;
}
