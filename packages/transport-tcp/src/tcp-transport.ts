import type {
  Clock,
  Connection,
  ConnectionClose,
  ConnectOptions,
  Listener,
  ListenOptions,
  Logger,
  Random,
  RotatingTransport,
  Scheduler,
  TlsCredentials,
} from "@octopii/interfaces";
import { systemClock, systemRandom, systemScheduler } from "@octopii/system";
import { createNodeTlsSockets } from "./adapters/tls-sockets.js";
import { formatAddress, isWildcard, parseAddress } from "./address.js";
import { tcpCodes } from "./codes.js";
import { checkCredentials, invalid } from "./credentials.js";
import { Dial } from "./dial.js";
import { TcpTransportError } from "./errors.js";
import { resolveTcpTransportOptions, type TcpTransportConfig, type TcpTransportOptions } from "./options.js";
import type { TcpTransportPorts, TlsContext, TlsFailure, TlsServer, TlsSocket, TlsSockets } from "./ports.js";
import { RefusalLog } from "./session/refusal-log.js";
import { type ConnectionHost, TcpConnection } from "./session/tcp-connection.js";

/** The application protocol of TLS (RFC 7301); a change that old peers cannot follow takes a new one. */
export const applicationProtocol: string = "octopii-tcp/1";

const nothing = (): void => undefined;
const silent: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };
const transportClosed: ConnectionClose = { by: "local", code: tcpCodes.transportClosed, reason: "the transport was closed" };
const listenerClosed: ConnectionClose = { by: "local", code: tcpCodes.transportClosed, reason: "the listener was closed" };

/**
 * Makes a {@link Transport} on TCP with mutual TLS 1.3. Nothing is opened before `listen` or `connect`.
 * @throws RangeError that lists every wrong option.
 */
export function createTcpTransport(options: TcpTransportOptions, ports: TcpTransportPorts = {}): RotatingTransport {
  return new TcpTransport(resolveTcpTransportOptions(options), ports);
}

/** One listening address, and the connections that came in on it. */
interface Place {
  readonly connections: Set<TcpConnection>;
  onConnection: ((connection: Connection) => void) | null;
}

class TcpTransport implements RotatingTransport, ConnectionHost {
  readonly config: TcpTransportConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly refusals: RefusalLog;
  readonly #sockets: TlsSockets;
  readonly #servers = new Set<TlsServer>();
  /** Servers that are being opened. */
  readonly #binding = new Set<Promise<TlsServer>>();
  readonly #connections = new Map<TcpConnection, Dial | Place>();
  readonly #dials = new Set<Dial>();
  /** How many of the connections this side dialed: those of others do not count against its own. */
  #dialed = 0;
  #context: TlsContext | null = null;
  #closing: Promise<void> | null = null;
  #onIdle: (() => void) | null = null;

  constructor(config: TcpTransportConfig, ports: TcpTransportPorts) {
    this.config = config;
    this.clock = ports.clock ?? systemClock;
    this.scheduler = ports.scheduler ?? systemScheduler;
    this.random = ports.random ?? systemRandom;
    this.logger = ports.logger ?? silent;
    this.refusals = new RefusalLog(this.clock, this.logger);
    this.#sockets = ports.sockets ?? createNodeTlsSockets();
  }

  async listen(options: ListenOptions): Promise<Listener> {
    this.#checkOpen();
    const { host, port } = parseAddress(options.address, { allowPortZero: true });
    this.#currentContext();
    const place: Place = { connections: new Set(), onConnection: options.onConnection };
    const server = await this.#opening(this.#bind(host, port, place));
    return {
      address: formatAddress(server.host, server.port),
      close: () => {
        place.onConnection = null;
        this.#servers.delete(server);
        for (const connection of place.connections) if (connection.isUnestablished) connection.closeAs(listenerClosed);
        return server.close();
      },
    };
  }

  /** Takes a server in that is being opened, or closes it if the transport closes meanwhile: that waits for it. */
  async #opening(binding: Promise<TlsServer>): Promise<TlsServer> {
    const taken = binding.then(async (server) => {
      if (this.#closing === null) {
        this.#servers.add(server);
        return server;
      }
      await server.close();
      throw closedError();
    });
    this.#binding.add(taken);
    try {
      return await taken;
    } finally {
      this.#binding.delete(taken);
    }
  }

  connect(address: string, options: ConnectOptions = {}): Promise<Connection> {
    const { signal, timeoutMs = this.config.connectTimeoutMs } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!(Number.isFinite(timeoutMs) && timeoutMs > 0))
      return Promise.reject(new RangeError(`timeoutMs must be above 0, not ${timeoutMs}.`));
    if (this.#closing !== null) return Promise.reject(closedError());
    const dial = new Dial(address, options, timeoutMs, this.scheduler, (ended) => this.#dials.delete(ended));
    this.#dials.add(dial);
    try {
      this.#dial(dial, address);
    } catch (error) {
      dial.fail(error);
    }
    return dial.result;
  }

  async replaceCredentials(credentials: TlsCredentials): Promise<void> {
    this.#checkOpen();
    this.#context = this.#createContext(credentials);
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const dial of this.#dials) dial.fail(closedError());
    const closed = [...this.#servers].map((server) => server.close());
    for (const connection of this.#connections.keys()) connection.closeAs(transportClosed);
    await Promise.all(closed);
    await Promise.allSettled(this.#binding);
    if (this.#connections.size === 0) return;
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw closedError();
  }

  #dial(dial: Dial, address: string): void {
    const { host, port } = parseAddress(address, { allowPortZero: false });
    if (isWildcard(host)) {
      throw new TcpTransportError("OCTOPII_TCP_INVALID_ADDRESS", `'${address}' stands for all interfaces; give the address of one.`);
    }
    const { maxConnections } = this.config;
    if (this.#dialed >= maxConnections) {
      const message = `${maxConnections} connections that this side dialed are open, which is the limit maxConnections; close some.`;
      throw new TcpTransportError("OCTOPII_TCP_CONNECTION_LIMIT", message);
    }
    const connection = new TcpConnection(this.#sockets.connect({ host, port, context: this.#currentContext() }), false, this);
    this.#connections.set(connection, dial);
    this.#dialed += 1;
    dial.attach(connection);
  }

  async #bind(host: string, port: number, place: Place): Promise<TlsServer> {
    const onSocket = (socket: TlsSocket): void => this.#accept(socket, place);
    try {
      return await this.#sockets.listen({ host, port, context: () => this.#currentContext(), onSocket });
    } catch (cause) {
      throw bindError(formatAddress(host, port), cause);
    }
  }

  #accept(socket: TlsSocket, place: Place): void {
    const { maxConnections, maxUnestablished } = this.config;
    if (place.onConnection === null || place.connections.size >= maxConnections) return socket.destroy();
    this.#makeRoom(place, maxUnestablished);
    const connection = new TcpConnection(socket, true, this);
    place.connections.add(connection);
    this.#connections.set(connection, place);
  }

  /** Of those that have proven nothing the oldest goes: an honest one needs a moment only, and those that keep quiet are not to keep it out. */
  #makeRoom({ connections }: Place, maxUnestablished: number): void {
    const unproven = [...connections].filter(({ isUnestablished }) => isUnestablished);
    const [oldest] = unproven;
    if (oldest === undefined || unproven.length < maxUnestablished) return;
    this.logger.debug({ remote: oldest.remoteAddress }, "gave a connection attempt up for a newer one: the limit is reached");
    oldest.abandon();
  }

  #currentContext(): TlsContext {
    this.#context ??= this.#createContext(this.config.credentials);
    return this.#context;
  }

  #createContext(credentials: TlsCredentials): TlsContext {
    checkCredentials(credentials);
    const { serverName, insecureKeyLogFile: keyLogFile } = this.config;
    const { certificate, privateKey, authorities } = credentials;
    try {
      return this.#sockets.createContext({ certificate, privateKey, authorities, applicationProtocol, serverName, keyLogFile });
    } catch (cause) {
      throw invalid("TLS cannot use the credentials; issue them with @octopii/certificates", cause);
    }
  }

  // What connections tell.

  opened(connection: TcpConnection): void {
    const owner = this.#connections.get(connection);
    if (owner instanceof Dial) return owner.opened(connection);
    const onConnection = owner?.onConnection ?? null;
    if (onConnection === null) connection.closeAs(listenerClosed);
    else connection.call(() => onConnection(connection));
  }

  closed(connection: TcpConnection, close: ConnectionClose, failure: TlsFailure | null): void {
    const owner = this.#connections.get(connection);
    if (owner instanceof Dial) owner.closed(close, failure);
  }

  gone(connection: TcpConnection): void {
    const owner = this.#connections.get(connection);
    this.#connections.delete(connection);
    if (owner instanceof Dial) this.#dialed -= 1;
    else owner?.connections.delete(connection);
    if (this.#connections.size === 0) this.#onIdle?.();
  }
}

function closedError(): TcpTransportError {
  return new TcpTransportError("OCTOPII_TCP_TRANSPORT_CLOSED", "The transport is closed; make a new one.");
}

function bindError(address: string, cause: unknown): TcpTransportError {
  const { code } = cause as { readonly code?: unknown };
  const details = { address };
  if (code === "EADDRINUSE") {
    const message = `${address} is in use by another socket; stop its owner, or listen on another port (0 picks a free one).`;
    return new TcpTransportError("OCTOPII_TCP_ADDRESS_IN_USE", message, { cause, details });
  }
  if (code === "ENOTFOUND" || code === "EAI_AGAIN") {
    const message = `The name in '${address}' has no address; check the spelling and the name service.`;
    return new TcpTransportError("OCTOPII_TCP_UNRESOLVED_ADDRESS", message, { cause, details });
  }
  const message = `The system does not give us ${address} (${String(code)}); check that it is an address of this machine and that we may use it.`;
  return new TcpTransportError("OCTOPII_TCP_ADDRESS_UNUSABLE", message, { cause, details });
}
