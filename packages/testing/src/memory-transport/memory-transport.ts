import type { Connection, ConnectOptions, Listener, ListenOptions, Transport } from "@octopii/interfaces";
import { TestingError } from "../errors.js";
import { formatAddress, parseAddress } from "./address.js";
import { Dial } from "./dial.js";
import { TRANSPORT_CLOSED } from "./hello.js";
import { MemoryListener } from "./memory-listener.js";
import type { MemoryNetwork } from "./memory-network.js";
import { type MemoryTransportOptions, resolveMemoryTransportOptions } from "./options.js";
import { encodeStandInCertificate, identifyStandIn } from "./stand-in-certificate.js";
import { TransportCore } from "./transport-core.js";

class MemoryTransport implements Transport {
  readonly #core: TransportCore;
  readonly #dials = new Set<Dial>();
  #closing: Promise<void> | null = null;

  constructor(core: TransportCore) {
    this.#core = core;
  }

  async listen(options: ListenOptions): Promise<Listener> {
    this.#checkOpen();
    const { network, station } = this.#core;
    const wanted = parseAddress(options.address, station.host);
    if (wanted.host !== station.host) {
      throw new TestingError(
        "OCTOPII_TESTING_ADDRESS_INVALID",
        `This transport is at ${station.host} and cannot listen at ${options.address}; use ${station.host}:${wanted.port}.`,
      );
    }
    const port = wanted.port === 0 ? network.freePort(station.host) : wanted.port;
    const address = formatAddress({ host: station.host, port });
    if (port === 0 || network.listenerAt(address) !== null) throw addressInUse(address);
    const listener = new MemoryListener(this.#core, address, options.onConnection);
    network.register(listener);
    this.#core.listeners.add(listener);
    return listener;
  }

  async connect(address: string, options: ConnectOptions = {}): Promise<Connection> {
    this.#checkOpen();
    options.signal?.throwIfAborted();
    const { connections, config } = this.#core;
    if (connections.size + this.#dials.size >= config.maxConnections) {
      throw new TestingError(
        "OCTOPII_TESTING_PEER_REFUSED",
        `This transport has ${config.maxConnections} connections, as many as it may (maxConnections); close some first.`,
        { outcome: "failed" },
      );
    }
    const dial = new Dial(this.#core, address, options, (over) => this.#dials.delete(over));
    this.#dials.add(dial);
    return dial.connected;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    const { connections, listeners } = this.#core;
    const error = new TestingError("OCTOPII_TESTING_CLOSED", "The transport was closed while it connected.", { outcome: "failed" });
    for (const dial of this.#dials) dial.fail(error);
    for (const listener of listeners) await listener.close();
    const open = [...connections];
    for (const connection of open) connection.close(TRANSPORT_CLOSED.code, TRANSPORT_CLOSED.reason);
    await Promise.all(open.map((connection) => connection.closed));
  }

  #checkOpen(): void {
    if (this.#closing === null) return;
    throw new TestingError("OCTOPII_TESTING_CLOSED", "This transport is closed; make another.");
  }
}

function addressInUse(address: string): TestingError {
  const cause = Object.assign(new Error(`listen EADDRINUSE: address already in use ${address}`), { code: "EADDRINUSE" });
  return new TestingError("OCTOPII_TESTING_ADDRESS_IN_USE", `${address} is taken; choose another port, or 0 for a free one.`, { cause });
}

/**
 * A transport without sockets and without cryptography: peers are who they say they are.
 * @param network - where its peers are: {@link createMemoryNetwork}.
 * @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS`.
 */
export function createMemoryTransport(network: MemoryNetwork, options: MemoryTransportOptions): Transport {
  const config = resolveMemoryTransportOptions(options);
  const chain = options.certificateChain ?? [encodeStandInCertificate(options.identity)];
  const station = network.station(options.host ?? "localhost");
  return new MemoryTransport(new TransportCore(network, station, config, chain, options.identify ?? identifyStandIn));
}
