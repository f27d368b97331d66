import type { RotatingTransport, TlsCredentials } from "@octopii/interfaces";
import { configurationError, type NodeConfig } from "../options.js";
import type { NodePorts } from "../ports.js";
import { credentialProblems } from "./check-credentials.js";
import { loadDefaultTransport } from "./default-transport.js";
import { ExpiryWatch } from "./expiry-watch.js";

/** The transport that a node made for itself, and the certificate that it shows there. */
export class OwnTransport {
  readonly transport: RotatingTransport;
  readonly #config: NodeConfig;
  readonly #ports: NodePorts;
  readonly #watch: ExpiryWatch;

  private constructor(transport: RotatingTransport, credentials: TlsCredentials, config: NodeConfig, ports: NodePorts) {
    this.transport = transport;
    this.#config = config;
    this.#ports = ports;
    this.#watch = new ExpiryWatch(credentials, ports);
  }

  static async load(config: NodeConfig, ports: NodePorts): Promise<OwnTransport> {
    const { credentials } = config;
    if (credentials === null) throw configurationError(["credentials are missing"]);
    return new OwnTransport(await loadDefaultTransport(config, ports), credentials, config, ports);
  }

  /** Shows another certificate from now on. @throws {CoreError} `CONFIGURATION_INVALID`, and nothing has changed. */
  async replace(credentials: TlsCredentials): Promise<void> {
    const { cluster, id } = this.#config;
    const problems = credentialProblems(credentials, cluster, id, this.#ports.clock);
    if (problems.length > 0) throw configurationError(problems);
    await this.transport.replaceCredentials(credentials);
    this.#watch.replace(credentials);
  }

  close(): Promise<void> {
    this.#watch.close();
    return this.transport.close();
  }
}
