import type { Clock, Scheduler } from "@octopii/interfaces";
import type { MemoryConnection } from "./memory-connection.js";
import type { MemoryListener } from "./memory-listener.js";
import type { Station, Wire } from "./station.js";

const FIRST_FREE_PORT = 49_152;
const LAST_PORT = 65_535;

/** Where the transports of one process, or of one simulated world, find each other. */
export class MemoryNetwork {
  /** @internal */
  readonly wire: Wire;
  readonly #stationOf: (host: string) => Station;
  readonly #listeners = new Map<string, MemoryListener>();
  readonly #connections = new Set<MemoryConnection>();
  #nextPort = FIRST_FREE_PORT;

  /** Use {@link createMemoryNetwork}, or `world.process(name).transport`. */
  constructor(wire: Wire, stationOf: (host: string) => Station) {
    this.wire = wire;
    this.#stationOf = stationOf;
  }

  /** @internal */
  station(host: string): Station {
    return this.#stationOf(host);
  }

  /** @internal Who accepts connections at `address` now. */
  listenerAt(address: string): MemoryListener | null {
    const listener = this.#listeners.get(address);
    return listener?.station.alive() === true ? listener : null;
  }

  /** @internal A port of `host` that nobody listens on; 0 if there is none. */
  freePort(host: string): number {
    for (let tried = FIRST_FREE_PORT; tried <= LAST_PORT; tried += 1) {
      const port = this.#nextPort;
      this.#nextPort = port === LAST_PORT ? FIRST_FREE_PORT : port + 1;
      if (this.listenerAt(`${host}:${port}`) === null) return port;
    }
    return 0;
  }

  /** @internal A connection has come about at one end. */
  track(connection: MemoryConnection): void {
    this.#connections.add(connection);
  }

  /** @internal Its end. */
  untrack(connection: MemoryConnection): void {
    this.#connections.delete(connection);
  }

  /** @internal The ends of connections that the process which runs at `host` has now. */
  connectionsAt(host: string): MemoryConnection[] {
    // Who dies says nothing, so its ends are still there.
    for (const connection of this.#connections) if (!connection.station.alive()) this.#connections.delete(connection);
    return [...this.#connections].filter(({ station }) => station.host === host);
  }

  /** @internal */
  register(listener: MemoryListener): void {
    this.#listeners.set(listener.address, listener);
  }

  /** @internal */
  unregister(listener: MemoryListener): void {
    if (this.#listeners.get(listener.address) === listener) this.#listeners.delete(listener.address);
  }
}

/**
 * A network for transports that live in one process: nothing gets lost, and everything arrives a turn later.
 * @param scheduler - runs deliveries and timeouts: the system's in plain tests, a manual one, or a simulated one.
 * @param clock - measures round trips. Default: they stay unmeasured.
 */
export function createMemoryNetwork(scheduler: Scheduler, clock: Clock | null = null): MemoryNetwork {
  const wire: Wire = {
    send: (_from, _toHost, arrive, abandoned) => {
      scheduler.nextTurn(() => {
        if (!abandoned()) arrive();
      });
    },
  };
  return new MemoryNetwork(wire, (host) => ({ host, scheduler, clock, enter: (callback) => callback(), alive: () => true }));
}
