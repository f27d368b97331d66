import { identifyForCluster } from "@octopii/certificates";
import { type Client, createClient } from "@octopii/core";
import type { TlsCredentials } from "@octopii/interfaces";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import { ConfigFile, show } from "./config-file.js";

type ClientTransport = "quic" | "tcp";

/** How a program that is no member reaches a cluster. */
export interface ClientConfig {
  readonly cluster: string;
  readonly addresses: readonly string[];
  readonly credentials: TlsCredentials;
  /** What the nodes speak. Default `quic`. */
  readonly transport?: ClientTransport;
  /** How long to wait for one member before trying the next. Default: the client's own, which suits networks with losses. */
  readonly connectTimeoutMs?: number;
}

/** Where `octopii dev` leaves the configuration of a client of its cluster. */
export const clientConfigDefault = ".octopii/dev/client.json";

/** How long a member may be silent before its connection counts as lost: a client has other members to turn to, so not long. */
const idleTimeoutMs = 2_000;

/**
 * Reads the configuration of a client: `cluster`, `addresses`, perhaps `transport` and `connectTimeoutMs`, and the paths `certificate`, `privateKey` and `authorities`.
 * @throws {CliError} `CONFIGURATION_INVALID`, listing every problem at once.
 */
export function readClientConfig(path: string): ClientConfig {
  const known = ["cluster", "addresses", "transport", "connectTimeoutMs", "certificate", "privateKey", "authorities"];
  // Nobody has named that file, so they may not know what it is.
  const remedies = path === clientConfigDefault ? { unreadable: "run octopii dev in this directory, or give --config FILE" } : {};
  const file = new ConfigFile(path, known, remedies);
  const cluster = file.get("cluster");
  if (typeof cluster !== "string" || cluster === "") file.problems.push(`cluster must be a name, not ${show(cluster)}`);
  const addresses = file.get("addresses");
  const isList = Array.isArray(addresses) && addresses.length > 0 && addresses.every((address) => typeof address === "string");
  if (!isList) file.problems.push(`addresses must be a list of host:port, not ${show(addresses)}`);
  const transport = file.get("transport") ?? "quic";
  if (transport !== "quic" && transport !== "tcp") file.problems.push(`transport must be "quic" or "tcp", not ${show(transport)}`);
  const connectTimeoutMs = file.get("connectTimeoutMs");
  if (connectTimeoutMs !== undefined && !(Number.isSafeInteger(connectTimeoutMs) && (connectTimeoutMs as number) > 0)) {
    file.problems.push(`connectTimeoutMs must be a whole number above 0, not ${show(connectTimeoutMs)}`);
  }
  const credentials = {
    certificate: file.fileText("certificate"),
    privateKey: file.fileText("privateKey"),
    authorities: file.fileText("authorities"),
  };
  file.check();
  const config = { cluster: cluster as string, addresses: addresses as string[], credentials, transport: transport as ClientTransport };
  return connectTimeoutMs === undefined ? config : { ...config, connectTimeoutMs: connectTimeoutMs as number };
}

/** A client of a cluster. The caller closes it. */
export function connect(config: ClientConfig): Client {
  const { cluster, addresses, credentials, connectTimeoutMs } = config;
  const create = config.transport === "tcp" ? createTcpTransport : createQuicTransport;
  const transport = create({ credentials, identify: identifyForCluster({ cluster }), idleTimeoutMs });
  return createClient({ addresses, ...(connectTimeoutMs !== undefined && { connectTimeoutMs }) }, { transport });
}
