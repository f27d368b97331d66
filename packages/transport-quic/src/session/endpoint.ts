import type { Clock, ConnectionClose, Logger, Random, Scheduler, Timer } from "@octopii/interfaces";
import { formatAddress, isLoopback, isWildcard } from "../address.js";
import { quicCodes } from "../codes.js";
import type { QuicTransportConfig } from "../options.js";
import type { EngineContext, UdpSocket, UdpSockets } from "../ports.js";
import {
  connectionIdBytes,
  connectionKey,
  destinationKey,
  initialDatagramBytesMin,
  isLongHeader,
  type LongHeader,
  parseLongHeader,
  quicVersion,
  versionNegotiation,
} from "../wire/packet.js";
import { RetryTokens } from "../wire/retry-token.js";
import { resetFillerBytes, StatelessResets } from "../wire/stateless-reset.js";
import { ClosedConnections } from "./closed-connections.js";
import type { ConnectionHost } from "./connection-host.js";
import { QuicConnection } from "./quic-connection.js";
import { RefusalLog } from "./refusal-log.js";

/** What all endpoints of a transport share. */
export interface EndpointContext {
  readonly config: QuicTransportConfig;
  /** The engine with the credentials of now. */
  engine(): EngineContext;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  /** An endpoint's last listener or connection went. */
  unused(endpoint: Endpoint): void;
}

/** What became of a dialed connection; the endpoint calls exactly one of them, and `closed` also after `opened`. */
export interface DialHandler {
  opened(connection: QuicConnection): void;
  closed(close: ConnectionClose): void;
}

/** Answers to packets of unknown connections in a second: they are a help to honest peers, not a service to others. */
const resetsPerSecondMax = 100;

/**
 * When the word that a connection is closed is repeated unasked: a peer that has nothing to say would otherwise miss a lost one until its
 * next probe. Not more often than by answers to packets (RFC 9000 section 10.2.1).
 */
const repeatsAfterMs = [50, 250, 1_000];
const repeatsMax = 1_024;

/** One UDP socket with all connections on it, dialed and accepted. It routes datagrams and gives every connection its turn. */
export class Endpoint implements ConnectionHost {
  readonly config: QuicTransportConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly refusals: RefusalLog;
  readonly family: 4 | 6;
  readonly #context: EndpointContext;
  readonly #tokens: RetryTokens;
  readonly #resets: StatelessResets;
  readonly #connections = new Map<number, QuicConnection>();
  readonly #dials = new Map<QuicConnection, DialHandler>();
  readonly #past: ClosedConnections;
  readonly #repeats = new Set<Timer>();
  #socket: UdpSocket | null = null;
  #onConnection: ((connection: QuicConnection) => void) | null = null;
  #unidentified = 0;
  #dirty: QuicConnection[] = [];
  #scheduled = false;
  #closing: Promise<void> | null = null;
  #onEmpty: (() => void) | null = null;
  #resetSecond = 0;
  #resetsSent = 0;

  constructor(context: EndpointContext, family: 4 | 6) {
    this.#context = context;
    this.family = family;
    this.config = context.config;
    this.clock = context.clock;
    this.scheduler = context.scheduler;
    this.logger = context.logger;
    this.refusals = new RefusalLog(context.clock, context.logger);
    this.#tokens = new RetryTokens(context.random.bytes(32), context.config.retryTokenLifetimeMs);
    this.#resets = new StatelessResets(context.config.credentials.privateKey);
    this.#past = new ClosedConnections(context.config.idleTimeoutMs);
  }

  /** Opens the socket. Rejects with the system's error. */
  async open(sockets: UdpSockets, host: string, port: number): Promise<void> {
    this.#socket = await sockets.open({
      host,
      port,
      family: this.family,
      datagramBytes: this.config.udpPayloadBytes,
      systemBufferBytes: this.config.systemBufferBytes,
      onDatagram: (datagram, remoteHost, remotePort) => this.#receive(datagram, remoteHost, remotePort),
    });
  }

  get socket(): UdpSocket {
    if (this.#socket === null) throw new Error("The endpoint was used before its socket was open.");
    return this.#socket;
  }

  get address(): string {
    return formatAddress(this.socket.host, this.socket.port);
  }

  get isListening(): boolean {
    return this.#onConnection !== null;
  }

  /** Whether its socket is bound to this very address. */
  isBoundTo(host: string, port: number): boolean {
    return this.#socket?.host === host && this.#socket.port === port;
  }

  /** Whether a socket bound like this one reaches `host`. */
  canReach(host: string): boolean {
    return isWildcard(this.socket.host) || isLoopback(this.socket.host) === isLoopback(host);
  }

  listen(onConnection: (connection: QuicConnection) => void): void {
    this.#onConnection = onConnection;
  }

  /** Accepts no more; attempts that have not proven their identity are dropped. */
  stopListening(): void {
    if (this.#onConnection === null) return;
    this.#onConnection = null;
    for (const connection of this.#connections.values()) {
      if (connection.place.accepted && connection.unidentified) connection.fail("the listener was closed");
    }
    this.#reportUnused();
  }

  /** There is neither a listener nor a connection. */
  get isUnused(): boolean {
    return this.#onConnection === null && this.#connections.size === 0;
  }

  /** Starts a connection to an IP address. @returns null while {@link QuicTransportConfig.maxConnections} that were dialed are open. */
  dial(remoteHost: string, remotePort: number, handler: DialHandler): QuicConnection | null {
    if (this.#dials.size >= this.config.maxConnections) return null;
    const sourceId = this.#freshId();
    const place = {
      accepted: false,
      key: connectionKey(sourceId, 0),
      remoteHost,
      remotePort,
      remoteAddress: formatAddress(remoteHost, remotePort),
    };
    const connection = new QuicConnection(this.#context.engine().connect(this.config.serverName, sourceId), place, this);
    this.#connections.set(place.key, connection);
    this.#dials.set(connection, handler);
    connection.start();
    return connection;
  }

  /** Closes every connection, then the socket. Repeating the call gives the same promise. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    this.#onConnection = null;
    const all = [...this.#connections.values()];
    for (const connection of all) connection.closeAs(transportClosed);
    if (all.length > 0) {
      await new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
    }
    for (const timer of this.#repeats) timer.cancel();
    this.#repeats.clear();
    await this.#socket?.close();
  }

  // What connections use.

  wake(connection: QuicConnection): void {
    connection.queued = true;
    this.#dirty.push(connection);
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.scheduler.nextTurn(this.#turn);
  }

  opened(connection: QuicConnection): void {
    if (connection.place.accepted) {
      this.#unidentified -= 1;
      const onConnection = this.#onConnection;
      if (onConnection === null) connection.closeAs(transportClosed);
      else connection.call(() => onConnection(connection));
    } else this.#dials.get(connection)?.opened(connection);
  }

  gone(connection: QuicConnection, close: ConnectionClose, lastDatagram: Uint8Array | null): void {
    const { accepted, key, remoteHost, remotePort } = connection.place;
    if (accepted && connection.neverIdentified) this.#unidentified -= 1;
    this.#connections.delete(key);
    if (this.#connections.size === 0) this.#onEmpty?.();
    this.#past.add(key, { lastDatagram, remoteHost, remotePort }, this.clock.now());
    if (lastDatagram !== null) for (const delayMs of repeatsAfterMs) this.#repeatLastWord(key, delayMs);
    this.#dials.get(connection)?.closed(close);
    this.#dials.delete(connection);
    this.#reportUnused();
  }

  #repeatLastWord(key: number, delayMs: number): void {
    if (this.#repeats.size >= repeatsMax || this.#closing !== null) return;
    const timer = this.scheduler.setTimer(delayMs, () => {
      this.#repeats.delete(timer);
      const word = this.#past.lastWord(key);
      if (word?.lastDatagram) this.#send(word.lastDatagram, word.remoteHost, word.remotePort);
    });
    this.#repeats.add(timer);
  }

  #reportUnused(): void {
    if (this.isUnused) this.#context.unused(this);
  }

  /** One turn: first all that came in, then all that goes out, also of connections that were first written to in this turn. */
  readonly #turn = (): void => {
    const arrived = this.#dirty.length;
    for (let i = 0; i < arrived; i += 1) this.#guard(this.#dirty[i], processConnection);
    const batch = this.#dirty;
    this.#dirty = [];
    this.#scheduled = false;
    for (const connection of batch) this.#guard(connection, flushConnection);
  };

  /** Nothing that a peer sends may throw out of the turn; if it does, by a fault of ours, it costs that connection only. */
  #guard(connection: QuicConnection | undefined, step: (connection: QuicConnection) => void): void {
    if (connection === undefined) return;
    try {
      step(connection);
    } catch (error) {
      this.logger.error({ remote: connection.remoteAddress, error }, "a connection failed by a fault of the transport");
      connection.fail("the transport failed");
    }
  }

  // Routing.

  #receive(datagram: Uint8Array, host: string, port: number): void {
    try {
      this.#route(datagram, host, port);
    } catch (error) {
      this.logger.error({ remote: formatAddress(host, port), error }, "dropped a datagram by a fault of the transport");
    }
  }

  #route(datagram: Uint8Array, host: string, port: number): void {
    const key = destinationKey(datagram);
    const connection = this.#connections.get(key);
    if (connection !== undefined) {
      const { remoteHost, remotePort } = connection.place;
      // Connections do not migrate: whoever sends from elsewhere is somebody else.
      if (remotePort === port && remoteHost === host) connection.receiveDatagram(datagram);
      return;
    }
    if (isLongHeader(datagram)) this.#receiveLong(datagram, host, port);
    else this.#receiveUnknown(datagram, key, host, port);
  }

  #receiveLong(datagram: Uint8Array, host: string, port: number): void {
    if (this.#onConnection === null || datagram.length < initialDatagramBytesMin) return;
    const header = parseLongHeader(datagram);
    if (header === null) return;
    if (header.version !== quicVersion) {
      // Version 0 is Version Negotiation itself, which is never answered.
      if (header.version !== 0) this.#send(versionNegotiation(header, this.#context.random.uint32()), host, port);
    } else if (header.type === "initial") {
      if (header.token.length === 0) this.#sendRetry(header, host, port);
      else this.#accept(datagram, header, host, port);
    }
  }

  #sendRetry(header: LongHeader, host: string, port: number): void {
    const retryId = this.#context.random.bytes(connectionIdBytes);
    const token = this.#tokens.mint({ host, port, retryId }, header.destinationId, this.clock.now());
    const out = this.socket.take();
    if (out === null) return;
    const length = this.#context.engine().retry(header.sourceId, header.destinationId, retryId, token, out);
    if (length === 0) this.socket.giveBack(out);
    else this.socket.send(out, length, host, port);
  }

  #accept(datagram: Uint8Array, header: LongHeader, host: string, port: number): void {
    const retryId = Uint8Array.from(header.destinationId);
    if (retryId.length !== connectionIdBytes) return;
    const originalId = this.#tokens.check(header.token, { host, port, retryId }, this.clock.now());
    if (originalId === null) return;
    const key = connectionKey(retryId, 0);
    if (this.#past.has(key)) {
      this.#answerPast(key, host, port);
      return;
    }
    if (this.#connections.size - this.#dials.size >= this.config.maxConnections) {
      this.logger.debug({ remote: formatAddress(host, port) }, "dropped a connection attempt: the limit is reached");
      return;
    }
    if (this.#unidentified >= this.config.maxUnestablished) this.#abandonOldest();
    const engine = this.#context.engine().accept(retryId, originalId, this.#resets.token(retryId));
    const place = { accepted: true, key, remoteHost: host, remotePort: port, remoteAddress: formatAddress(host, port) };
    const connection = new QuicConnection(engine, place, this);
    this.#connections.set(key, connection);
    this.#unidentified += 1;
    connection.receiveDatagram(datagram);
  }

  /** Of those that have proven nothing the oldest goes: an honest one needs a moment only, and those that keep quiet are not to keep it out. */
  #abandonOldest(): void {
    for (const connection of this.#connections.values()) {
      if (!connection.place.accepted || !connection.unidentified) continue;
      this.logger.debug({ remote: connection.remoteAddress }, "gave a connection attempt up for a newer one: the limit is reached");
      connection.fail("a newer attempt took its place");
      return;
    }
  }

  /** A packet of an established connection that is not here: closed a moment ago, from before our restart, a reset for us, or noise. */
  #receiveUnknown(datagram: Uint8Array, key: number, host: string, port: number): void {
    if (key < 0) return;
    if (this.#answerPast(key, host, port)) return;
    for (const connection of this.#dials.keys()) {
      const { remoteHost, remotePort } = connection.place;
      // The peer that forgot our connection cannot name it; the engine knows its reset by the token at the end.
      if (remotePort === port && remoteHost === host) connection.receiveDatagram(Uint8Array.from(datagram));
    }
    if (this.#onConnection === null || !this.#mayReset()) return;
    const filler = this.#context.random.bytes(resetFillerBytes);
    const packet = this.#resets.packet(datagram.subarray(1, 1 + connectionIdBytes), datagram.length, filler);
    if (packet !== null) this.#send(packet, host, port);
  }

  /** Repeats the word that a connection is closed; true if it was one that this endpoint had. */
  #answerPast(key: number, host: string, port: number): boolean {
    if (!this.#past.has(key)) return false;
    const answer = this.#past.answer(key, host, port, this.clock.now());
    if (answer !== null) this.#send(answer, host, port);
    return true;
  }

  #mayReset(): boolean {
    const second = Math.floor(this.clock.now() / 1000);
    if (second !== this.#resetSecond) {
      this.#resetSecond = second;
      this.#resetsSent = 0;
    }
    this.#resetsSent += 1;
    return this.#resetsSent <= resetsPerSecondMax;
  }

  #send(datagram: Uint8Array, host: string, port: number): void {
    const buffer = this.socket.take();
    if (buffer === null) return;
    buffer.set(datagram);
    this.socket.send(buffer, datagram.length, host, port);
  }

  #freshId(): Uint8Array {
    for (;;) {
      const id = this.#context.random.bytes(connectionIdBytes);
      const key = connectionKey(id, 0);
      if (!this.#connections.has(key) && !this.#past.has(key)) return id;
    }
  }
}

const transportClosed: ConnectionClose = { by: "local", code: quicCodes.transportClosed, reason: "the transport was closed" };

function processConnection(connection: QuicConnection): void {
  connection.process();
}

function flushConnection(connection: QuicConnection): void {
  connection.flush();
}
