import type { Connection, ConnectOptions, IdentityRefusal, Timer } from "@octopii/interfaces";
import { TestingError } from "../errors.js";
import { formatAddress, parseAddress } from "./address.js";
import { ANSWER_ATTEMPTS, afterAttempts, type Hello, judge } from "./hello.js";
import type { MemoryConnection } from "./memory-connection.js";
import type { MemoryTransportConfig } from "./options.js";
import type { TransportCore } from "./transport-core.js";

/** Who gets no answer says hello again after this time, then after twice as long, and so on. As in RFC 9002 §6.2. */
const FIRST_RETRY_MS = 250;
/** What fits into the system's timers. */
const LONGEST_WAIT_MS = 2 ** 31 - 1;

/** One attempt to connect. */
export class Dial {
  readonly connected: Promise<Connection>;
  readonly #core: TransportCore;
  readonly #address: string;
  readonly #peerHost: string;
  readonly #hello: Hello;
  readonly #signal: AbortSignal | null;
  readonly #onOver: (dial: Dial) => void;
  #settle: { resolve: (connection: Connection) => void; reject: (error: unknown) => void } | null = null;
  #deadline: Timer | null = null;
  #retry: Timer | null = null;
  readonly #onAbort = (): void => this.fail(this.#signal?.reason);

  /** @throws {TestingError} `OCTOPII_TESTING_ADDRESS_INVALID`. */
  constructor(core: TransportCore, address: string, options: ConnectOptions, onOver: (dial: Dial) => void) {
    const parsed = parseAddress(address, core.station.host);
    this.#core = core;
    this.#peerHost = parsed.host;
    this.#address = formatAddress(parsed);
    this.#signal = options.signal ?? null;
    this.#onOver = onOver;
    this.#hello = {
      station: core.station,
      chain: core.chain,
      config: core.config,
      answeredBy: null,
      onAccepted: (server, chain, config) => this.#accepted(server, chain, config),
      onRefused: (reason, isIdentity) => this.#refused(reason, isIdentity ? "remote" : null),
    };
    this.connected = new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
    });
    this.#begin(options.timeoutMs ?? core.config.connectTimeoutMs);
  }

  /** Ends the attempt; does nothing once it is over. */
  fail(error: unknown): void {
    const settle = this.#finish();
    settle?.reject(error);
  }

  #begin(timeoutMs: number): void {
    if (!(timeoutMs > 0 && timeoutMs <= LONGEST_WAIT_MS)) {
      this.fail(new RangeError(`timeoutMs must be a number above 0 and at most ${LONGEST_WAIT_MS}, not ${timeoutMs}`));
      return;
    }
    this.#signal?.addEventListener("abort", this.#onAbort);
    this.#deadline = this.#core.station.scheduler.setTimer(timeoutMs, () => {
      const message = `Nobody answered at ${this.#address} within ${timeoutMs} ms; check the address and that the peer runs.`;
      this.fail(new TestingError("OCTOPII_TESTING_CONNECT_TIMEOUT", message, { outcome: "failed" }));
    });
    this.#sayHello(FIRST_RETRY_MS);
  }

  #sayHello(retryMs: number): void {
    const { network, station } = this.#core;
    const arrive = (): void => {
      const listener = network.listenerAt(this.#address);
      listener?.station.enter(() => listener.receiveHello(this.#hello));
    };
    network.wire.send(station, this.#peerHost, arrive, () => this.#settle === null);
    this.#retry = station.scheduler.setTimer(retryMs, () => this.#sayHello(retryMs * 2));
  }

  #accepted(server: MemoryConnection, chain: readonly Uint8Array[], config: MemoryTransportConfig): void {
    if (this.#settle === null) return this.#decline(server);
    const verdict = judge(this.#core.identify, chain);
    if (!verdict.accepted) {
      this.#decline(server);
      return this.#refused(verdict.reason, "local");
    }
    const connection = this.#core.adopt({
      peer: verdict.peer,
      peerHost: this.#peerHost,
      remoteAddress: this.#address,
      peerConfig: config,
      initiator: true,
      onConfirmed: () => undefined,
    });
    server.bind(connection);
    connection.bind(server);
    this.#finish()?.resolve(connection);
  }

  /** The listener made its end already; tell it that there will be no other. */
  #decline(server: MemoryConnection): void {
    const { network, station } = this.#core;
    const arrive = (): void =>
      server.station.enter(() => server.receive([{ kind: "close", code: 0, reason: "The attempt to connect was given up." }]));
    network.wire.send(station, this.#peerHost, arrive, afterAttempts(ANSWER_ATTEMPTS));
  }

  /** @param by - who did not accept the other's identity; null if it was something else. */
  #refused(reason: string, by: IdentityRefusal["by"] | null): void {
    const message = `The connection to ${this.#address} was refused: ${reason}`;
    const refusal: IdentityRefusal | null = by === null ? null : { by, reason };
    this.fail(
      new TestingError("OCTOPII_TESTING_PEER_REFUSED", message, { outcome: "failed", ...(refusal !== null && { details: { refusal } }) }),
    );
  }

  #finish(): { resolve: (connection: Connection) => void; reject: (error: unknown) => void } | null {
    const settle = this.#settle;
    if (settle === null) return null;
    this.#settle = null;
    this.#deadline?.cancel();
    this.#retry?.cancel();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#onOver(this);
    return settle;
  }
}
