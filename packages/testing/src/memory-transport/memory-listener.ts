import type { Connection, Listener } from "@octopii/interfaces";
import { ANSWER_ATTEMPTS, afterAttempts, type Hello, judge } from "./hello.js";
import type { MemoryConnection } from "./memory-connection.js";
import type { Station } from "./station.js";
import type { TransportCore } from "./transport-core.js";

/** Accepts connections at one address. */
export class MemoryListener implements Listener {
  readonly address: string;
  readonly #core: TransportCore;
  readonly #onConnection: (connection: Connection) => void;
  #closed = false;

  constructor(core: TransportCore, address: string, onConnection: (connection: Connection) => void) {
    this.#core = core;
    this.address = address;
    this.#onConnection = onConnection;
  }

  get station(): Station {
    return this.#core.station;
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#core.network.unregister(this);
      this.#core.listeners.delete(this);
    }
    return Promise.resolve();
  }

  /** Somebody wants to connect. */
  receiveHello(hello: Hello): void {
    if (this.#closed || hello.answeredBy === this) return;
    hello.answeredBy = this;
    const verdict = judge(this.#core.identify, hello.chain);
    if (!verdict.accepted) return this.#refuse(hello, verdict.reason, true);
    if (this.#core.connections.size >= this.#core.config.maxConnections) {
      return this.#refuse(hello, `The peer has as many connections as it takes (${this.#core.config.maxConnections}).`, false);
    }
    const { station, network, chain, config } = this.#core;
    const connection = this.#core.adopt({
      peer: verdict.peer,
      peerHost: hello.station.host,
      remoteAddress: hello.station.host,
      peerConfig: hello.config,
      initiator: false,
      onConfirmed: (confirmed) => this.#confirm(confirmed),
    });
    const arrive = (): void => hello.station.enter(() => hello.onAccepted(connection, chain, config));
    network.wire.send(station, hello.station.host, arrive, () => connection.isClosed);
  }

  #refuse(hello: Hello, reason: string, isIdentity: boolean): void {
    const { station, network } = this.#core;
    const arrive = (): void => hello.station.enter(() => hello.onRefused(reason, isIdentity));
    network.wire.send(station, hello.station.host, arrive, afterAttempts(ANSWER_ATTEMPTS));
  }

  #confirm(connection: MemoryConnection): void {
    if (this.#closed) connection.close(0, "The listener was closed.");
    else this.#onConnection(connection);
  }
}
