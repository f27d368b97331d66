import type { Clock, Connection, Logger, NodeId, Random, Scheduler, Timer, Transport } from "@octopii/interfaces";

/** When to try again after a failed dial: at first soon, then ever later, and never in step with others. */
export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
}

/** What a {@link PeerLink} needs of its node. */
export interface LinkPorts {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
}

/** Told when a link gains or loses its connection. */
export interface LinkObserver {
  connected(connection: Connection): void;
  disconnected(): void;
}

/**
 * Our outgoing connection to one peer: dialed when somebody wants to send, kept while it lives, dialed again with growing delays after
 * a failure. Dials to different peers never wait for each other; concurrent wishes for one peer share a dial.
 */
export class PeerLink {
  readonly peerId: NodeId;
  readonly address: string;
  readonly #ports: LinkPorts;
  readonly #backoff: BackoffOptions;
  readonly #observer: LinkObserver;
  #connection: Connection | null = null;
  #dial: AbortController | null = null;
  #retryTimer: Timer | null = null;
  #delayMs: number;
  #closed = false;

  constructor(peerId: NodeId, address: string, ports: LinkPorts, backoff: BackoffOptions, observer: LinkObserver) {
    this.peerId = peerId;
    this.address = address;
    this.#ports = ports;
    this.#backoff = backoff;
    this.#observer = observer;
    this.#delayMs = backoff.minMs;
  }

  /** The connection, if there is one now. If not, this call starts to make one. */
  get connection(): Connection | null {
    if (this.#connection === null) this.#ensureDial();
    return this.#connection;
  }

  close(): void {
    this.#closed = true;
    this.#retryTimer?.cancel();
    this.#dial?.abort();
    this.#connection?.close(0, "the node closes");
  }

  #ensureDial(): void {
    if (this.#closed || this.#dial !== null || this.#retryTimer !== null) return;
    const dial = new AbortController();
    this.#dial = dial;
    this.#ports.transport.connect(this.address, { signal: dial.signal }).then(
      (connection) => this.#dialed(connection),
      (error: unknown) => this.#failed(error),
    );
  }

  #dialed(connection: Connection): void {
    this.#dial = null;
    if (this.#closed) return connection.close(0, "the node closes");
    if (connection.peer.nodeId !== this.peerId) {
      const reason = `expected node ${this.peerId} at ${this.address}, found ${connection.peer.name}`;
      connection.close(1, reason);
      return this.#failed(new Error(reason));
    }
    this.#connection = connection;
    const openedAt = this.#ports.clock.now();
    void connection.closed.then((close) => {
      this.#ports.logger.debug({ peer: this.peerId, ...close }, "The connection to a peer was closed.");
      this.#connection = null;
      // A peer that accepts only to close again is as good as one that refuses.
      if (this.#ports.clock.now() - openedAt > this.#backoff.maxMs) this.#delayMs = this.#backoff.minMs;
      else this.#pause();
      this.#observer.disconnected();
    });
    this.#observer.connected(connection);
  }

  #failed(error: unknown): void {
    this.#dial = null;
    if (this.#closed) return;
    this.#ports.logger.debug({ peer: this.peerId, address: this.address, error }, "A peer could not be reached.");
    this.#pause();
    this.#observer.disconnected();
  }

  #pause(): void {
    if (this.#closed) return;
    // Between half and all of the delay, so that peers that lost each other together do not come back together.
    const delayMs = this.#delayMs / 2 + (this.#ports.random.uint32() % (this.#delayMs / 2 + 1));
    this.#delayMs = Math.min(this.#delayMs * 2, this.#backoff.maxMs);
    this.#retryTimer = this.#ports.scheduler.setTimer(delayMs, () => {
      this.#retryTimer = null;
    });
  }
}
