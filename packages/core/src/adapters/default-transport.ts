import { identifyForCluster } from "@octopii/certificates";
import type { Transport } from "@octopii/interfaces";
import { configurationError, type NodeConfig } from "../options.js";
import type { NodePorts } from "../ports.js";
import { credentialProblems } from "./check-credentials.js";

/**
 * QUIC, authenticated both ways by the cluster's certificates. It is an optional peer, so it is loaded only here, when nobody passed
 * a transport in.
 */
export async function loadDefaultTransport(config: NodeConfig, ports: NodePorts): Promise<Transport> {
  const { credentials, cluster, id } = config;
  if (credentials === null) throw configurationError(["credentials are missing"]);
  const { clock, scheduler, random, logger } = ports;
  const problems = credentialProblems(credentials, cluster, id, clock);
  if (problems.length > 0) throw configurationError(problems);
  const { createQuicTransport } = await loadQuic();
  return createQuicTransport({ credentials, identify: identifyForCluster({ cluster }) }, { clock, scheduler, random, logger });
}

async function loadQuic(): Promise<typeof import("@octopii/transport-quic")> {
  try {
    return await import("@octopii/transport-quic");
  } catch (error) {
    throw configurationError(
      ["@octopii/transport-quic is not installed; add it, or pass a transport such as @octopii/transport-tcp"],
      error,
    );
  }
}
