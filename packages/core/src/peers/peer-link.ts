import type { Clock, Connection, IdentityRefusal, Logger, NodeId, Random, Scheduler, Timer, Transport } from "@octopii/interfaces";
import { refusalOf } from "../identity-refusal.js";

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

/** Different refusals that are told between two connections. Their words may be the peer's, so they must not gather without end. */
const warningsMax = 10;

const certificateRemedy = "see that the certificates of both are valid, of one cluster, and signed by an authority that the other accepts";
const addressRemedy = "see that members gives its address, and that the node there has a certificate of its own";

/** Told when a link gains or loses its connection. */
export interface LinkObserver {
  connected(connection: Connection): void;
  disconnected(): void;
}

/**
 * Our outgoing connection to one peer: dialed when somebody wants to send, kept while it lives, dialed again with growing delays after
 * a failure. Dials to different peers never wait for each other; concurrent wishes for one peer share a dial. That an identity was refused is
 * told as a warning, once for each cause until the next success: unlike a peer that is down, it does not mend itself.
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
  /** Refusals that were told since the last connection. */
  readonly #warned = new Set<string>();

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
    this.dial();
    return this.#connection;
  }

  /** Starts to make a connection if there is none, and none is being made. */
  dial(): void {
    if (this.#connection === null) this.#ensureDial();
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
      connection.close(1, `expected node ${this.peerId} at ${this.address}, found ${connection.peer.name}`);
      this.#warnOnce({ by: "local", reason: `the certificate there is that of ${connection.peer.name}` }, addressRemedy);
      return this.#unavailable();
    }
    this.#connection = connection;
    this.#warned.clear();
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
    const refusal = refusalOf(error);
    if (refusal === null) this.#ports.logger.debug({ peer: this.peerId, address: this.address, error }, "A peer could not be reached.");
    else this.#warnOnce(refusal, certificateRemedy);
    this.#unavailable();
  }

  #warnOnce({ by, reason }: IdentityRefusal, remedy: string): void {
    const peer = `node ${this.peerId} at ${this.address}`;
    const who = by === "local" ? `This node refuses the identity of ${peer}` : `N${peer.slice(1)} refuses the identity of this node`;
    const message = `${who}: ${reason}; ${remedy}.`;
    const isNews = !this.#warned.has(message) && this.#warned.size < warningsMax;
    if (isNews) this.#warned.add(message);
    this.#ports.logger[isNews ? "warn" : "debug"]({ peer: this.peerId, by }, message);
  }

  #unavailable(): void {
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
