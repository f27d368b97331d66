import { identifyForCluster } from "@octopii/certificates";
import type { Connection, Listener, Transport } from "@octopii/interfaces";
import { createQuicTransport } from "@octopii/transport-quic";
import { createTcpTransport } from "@octopii/transport-tcp";
import { ConfigFile, type Remedies, show } from "../config/config-file.js";
import { nodeConfigFields } from "../config/node-config.js";
import { CliError } from "../errors.js";

/**
 * A transport by the identity in a configuration: `cluster`, `certificate`, `privateKey`, `authorities`, and perhaps `transport`. The
 * configurations of nodes and of clients have these, and what else they have is passed over.
 * @throws {CliError} `CONFIGURATION_INVALID`, listing every problem at once.
 */
export function openTransport(path: string, remedies: Remedies = {}): Transport {
  const file = new ConfigFile(path, [...nodeConfigFields, "addresses", "connectTimeoutMs"], remedies);
  const cluster = file.get("cluster");
  if (typeof cluster !== "string" || cluster === "") file.problems.push(`cluster must be a name, not ${show(cluster)}`);
  const kind = file.get("transport") ?? "quic";
  if (kind !== "quic" && kind !== "tcp") file.problems.push(`transport must be "quic" or "tcp", not ${show(kind)}`);
  const credentials = {
    certificate: file.fileText("certificate"),
    privateKey: file.fileText("privateKey"),
    authorities: file.fileText("authorities"),
  };
  file.check();
  const create = kind === "tcp" ? createTcpTransport : createQuicTransport;
  return create({ credentials, identify: identifyForCluster({ cluster: cluster as string }) });
}

/** @throws {CliError} `UNREACHABLE`; or the transport's error, where an identity is refused or the address makes no sense. */
export async function reach(transport: Transport, address: string, signal: AbortSignal): Promise<Connection> {
  try {
    return await transport.connect(address, { signal });
  } catch (error) {
    signal.throwIfAborted();
    if (!isAbsence(error)) throw error;
    const message = `Nobody answers at ${address}; see that a node, or octopii receive, listens there, and speaks the same transport.`;
    throw new CliError("OCTOPII_CLI_UNREACHABLE", message, { cause: error });
  }
}

/** @throws {CliError} `ADDRESS_IN_USE`; or the transport's error, where the address makes no sense. */
export async function listenAt(transport: Transport, address: string, onConnection: (connection: Connection) => void): Promise<Listener> {
  try {
    return await transport.listen({ address, onConnection });
  } catch (error) {
    if (!codeOf(error).endsWith("_ADDRESS_IN_USE")) throw error;
    const message = `Another program listens on ${address} already; stop it, or choose another address.`;
    throw new CliError("OCTOPII_CLI_ADDRESS_IN_USE", message, { cause: error });
  }
}

/** Nobody is there, or nobody who speaks this transport: as far as one can tell from here. */
function isAbsence(error: unknown): boolean {
  return /_(CONNECT_REFUSED|CONNECT_TIMEOUT|HANDSHAKE_FAILED|CONNECTION_CLOSED|UNRESOLVED_ADDRESS)$/.test(codeOf(error));
}

function codeOf(error: unknown): string {
  const { code } = error as { code?: unknown };
  return typeof code === "string" ? code : "";
}
