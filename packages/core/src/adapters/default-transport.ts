import { identifyForCluster } from "@octopii/certificates";
import type { Identify, RotatingTransport, TlsCredentials } from "@octopii/interfaces";
import { configurationError, type NodeConfig } from "../options.js";
import type { NodePorts } from "../ports.js";
import { credentialProblems } from "./check-credentials.js";

type Parts = Pick<NodePorts, "clock" | "scheduler" | "random" | "logger">;
interface Options {
  readonly credentials: TlsCredentials;
  readonly identify: Identify;
}
type Factory = (options: Options, parts: Parts) => RotatingTransport;

/** Each is an optional peer, so it is loaded only here, when nobody passed a transport in. */
const factories: Readonly<Record<NodeConfig["transport"], () => Promise<Factory>>> = {
  quic: async () => (await import("@octopii/transport-quic")).createQuicTransport,
  tcp: async () => (await import("@octopii/transport-tcp")).createTcpTransport,
};

/** The transport that the configuration names, authenticated both ways by the cluster's certificates. */
export async function loadDefaultTransport(config: NodeConfig, ports: NodePorts): Promise<RotatingTransport> {
  const { credentials, cluster, id } = config;
  if (credentials === null) throw configurationError(["credentials are missing"]);
  const { clock, scheduler, random, logger } = ports;
  const problems = credentialProblems(credentials, cluster, id, clock);
  if (problems.length > 0) throw configurationError(problems);
  const create = await loadFactory(config.transport);
  return create({ credentials, identify: identifyForCluster({ cluster }) }, { clock, scheduler, random, logger });
}

async function loadFactory(name: NodeConfig["transport"]): Promise<Factory> {
  try {
    return await factories[name]();
  } catch (error) {
    const other = name === "quic" ? "tcp" : "quic";
    throw configurationError(
      [`@octopii/transport-${name} is not installed; add it, set transport to "${other}" and add that, or pass a transport`],
      error,
    );
  }
}
