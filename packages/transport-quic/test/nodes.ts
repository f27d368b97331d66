import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import type { Connection, Listener, RotatingTransport, Transport } from "@octopii/interfaces";
import { afterEach, beforeAll, expect } from "vitest";
import { createQuicTransport, type QuicTransportOptions, type QuicTransportPorts } from "../src/index.js";
import { type Cluster, collectingLogger, createCluster, optionsOf } from "./support.js";

/** A listening node; its connections gather in `accepted`. */
export interface Listening {
  readonly transport: RotatingTransport;
  readonly listener: Listener;
  readonly accepted: Connection[];
}

/** Nodes of one test file: they are closed after each test, which fails if one of them has logged an error. */
export class Nodes {
  readonly logger: ReturnType<typeof collectingLogger> = collectingLogger();
  #cluster: Cluster | null = null;
  #transports: Transport[] = [];

  constructor(name = "reef") {
    beforeAll(async () => {
      this.#cluster = await createCluster(name);
    });
    afterEach(async () => {
      await Promise.all(this.#transports.map((transport) => transport.close()));
      this.#transports = [];
      expect(this.logger.errors).toEqual([]);
    });
  }

  get cluster(): Cluster {
    if (this.#cluster === null) throw new Error("The cluster is made before the first test, not earlier.");
    return this.#cluster;
  }

  closeAfterwards(...transports: Transport[]): void {
    this.#transports.push(...transports);
  }

  /** A transport that is closed after the test. */
  transportOf(options: QuicTransportOptions, ports: QuicTransportPorts = {}): RotatingTransport {
    const transport = createQuicTransport(options, { logger: this.logger, ...ports });
    this.#transports.push(transport);
    return transport;
  }

  async node(id: number, options: Partial<QuicTransportOptions> = {}, ports: QuicTransportPorts = {}): Promise<RotatingTransport> {
    return this.transportOf({ ...(await optionsOf(this.cluster, id)), ...options }, ports);
  }

  async listening(options: Partial<QuicTransportOptions> = {}, address = "127.0.0.1:0"): Promise<Listening> {
    const transport = await this.node(1, options);
    const accepted: Connection[] = [];
    const listener = await transport.listen({ address, onConnection: (connection) => accepted.push(connection) });
    return { transport, listener, accepted };
  }
}

/** A UDP socket that speaks no QUIC. */
export async function plainSocket(): Promise<Socket> {
  const socket = createSocket("udp4");
  socket.bind(0, "127.0.0.1");
  await once(socket, "listening");
  return socket;
}

export const portOf = (address: string): number => Number(address.split(":").at(-1));
