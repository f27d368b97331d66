import { dirname, relative } from "node:path";
import type { Member } from "@octopii/core";
import { CliError } from "../errors.js";
import { prepareCertificates } from "./certificates.js";
import { describeUpdates, KeptConfig } from "./kept-config.js";
import type { KeyPairPaths, Layout } from "./layout.js";
import { type Manifest, readManifest, writeManifest } from "./manifest.js";
import { findFreePorts, isFree, portsFrom } from "./ports.js";

/** What is asked of a development cluster; what is left out stays as it was, or is chosen. */
export interface ClusterRequest {
  readonly cluster: string;
  readonly nodes?: number;
  /** The port of the first node, the others follow; `auto` finds free ones, even if others are remembered. */
  readonly basePort?: number | "auto";
}

const nodesDefault = 3;
/** Nothing is lost on the way to this machine itself: a member that does not answer within this is down, or will be slow anyway. */
const connectTimeoutMs = 500;

/** A development cluster that is ready to start. */
export interface PreparedCluster {
  readonly members: readonly Member[];
  /** One sentence on what was updated in configurations that were there; null if nothing was. */
  readonly updates: string | null;
}

/**
 * Brings a development cluster's directory into the state from which its nodes can start: certificates, addresses and configurations.
 * What cannot be is refused before anything is written.
 */
export async function prepareCluster(layout: Layout, request: ClusterRequest): Promise<PreparedCluster> {
  const found = readManifest(layout.manifest);
  checkSameCluster(layout, found, request);
  const { cluster } = request;
  const count = found?.nodes.length ?? request.nodes ?? nodesDefault;
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const nodeConfigs = ids.map((id) => new KeptConfig(layout.node(id).config));
  const clientConfig = new KeptConfig(layout.client.config);
  const ports = await choosePorts(found, count, request.basePort);
  const members = ports.map((port, i): Member => ({ id: i + 1, address: `127.0.0.1:${port}` }));
  await prepareCertificates(layout, cluster, ids, found === null);
  const nodeUpdates = nodeConfigs.map((config, i) => config.update(nodeFields(layout, cluster, i + 1, members)));
  const clientUpdates = clientConfig.update(clientFields(layout, cluster, members), { connectTimeoutMs });
  // Last: where it stands, everything else does too.
  writeManifest(layout.manifest, { format: 1, cluster, nodes: ports.map((port, i) => ({ id: i + 1, port })) });
  return { members, updates: describeUpdates(nodeUpdates, clientUpdates) };
}

function checkSameCluster({ directory }: Layout, found: Manifest | null, request: ClusterRequest): void {
  if (found === null) return;
  const { cluster, nodes } = found;
  if (cluster !== request.cluster) {
    const message = `${directory} holds the cluster "${cluster}", not "${request.cluster}"; choose another directory.`;
    throw new CliError("OCTOPII_CLI_DIRECTORY_UNUSABLE", message);
  }
  if (request.nodes !== undefined && request.nodes !== nodes.length) {
    const message = `${directory} holds a cluster of ${nodes.length} nodes, and members are fixed when it is founded; leave --nodes out, choose another --directory, or remove it to begin anew.`;
    throw new CliError("OCTOPII_CLI_DIRECTORY_UNUSABLE", message);
  }
}

async function choosePorts(found: Manifest | null, count: number, basePort: ClusterRequest["basePort"]): Promise<number[]> {
  if (basePort === "auto" || (found === null && basePort === undefined)) return findFreePorts(count);
  const ports = basePort === undefined ? (found?.nodes ?? []).map(({ port }) => port) : portsFrom(basePort, count);
  for (const [i, port] of ports.entries()) {
    if (await isFree(port)) continue;
    const message = `127.0.0.1:${port}, the address of node ${i + 1}, is used by another program; stop it, or let free ports be found with --base-port auto.`;
    throw new CliError("OCTOPII_CLI_ADDRESS_IN_USE", message, { details: { port } });
  }
  return ports;
}

function nodeFields(layout: Layout, cluster: string, id: number, members: readonly Member[]): Record<string, unknown> {
  const paths = layout.node(id);
  const fromConfig = (path: string): string => relative(dirname(paths.config), path);
  return { cluster, id, directory: fromConfig(paths.data), members, ...credentials(paths, layout, fromConfig) };
}

function clientFields(layout: Layout, cluster: string, members: readonly Member[]): Record<string, unknown> {
  const fromConfig = (path: string): string => relative(layout.directory, path);
  return { cluster, addresses: members.map(({ address }) => address), ...credentials(layout.client, layout, fromConfig) };
}

function credentials(own: KeyPairPaths, layout: Layout, fromConfig: (path: string) => string): Record<string, string> {
  return {
    certificate: fromConfig(own.certificate),
    privateKey: fromConfig(own.privateKey),
    authorities: fromConfig(layout.authority.certificate),
  };
}
