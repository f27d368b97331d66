import type {
  Clock,
  Connection,
  ConnectOptions,
  Listener,
  ListenOptions,
  Logger,
  Random,
  RotatingTransport,
  Scheduler,
  Timer,
  TlsCredentials,
} from "@octopii/interfaces";
import { systemClock, systemRandom, systemScheduler } from "@octopii/system";
import { loadNativeEngine } from "./adapters/engine.js";
import { nodeUdpSockets } from "./adapters/udp-socket.js";
import { formatAddress, isWildcard, parseAddress } from "./address.js";
import { checkCredentials, invalid } from "./credentials.js";
import { Dial } from "./dial.js";
import { QuicTransportError } from "./errors.js";
import { type QuicTransportConfig, type QuicTransportOptions, resolveQuicTransportOptions } from "./options.js";
import type { EngineContext, QuicEngine, ResolvedHost, UdpSockets } from "./ports.js";
import { Endpoint, type EndpointContext } from "./session/endpoint.js";

/** The application protocol of TLS (RFC 7301); a change that old peers cannot follow takes a new one. */
export const applicationProtocol: string = "octopii/1";

/** What the transport needs from outside. Everything has a default; simulations and tests give their own. */
export interface QuicTransportPorts {
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  /** For connection ids and the keys of Retry tokens. */
  readonly random?: Random;
  /** Default: silence. */
  readonly logger?: Logger;
  readonly sockets?: UdpSockets;
  /** Loads the engine on first use. Default: the native binding inside @matrixai/quic. */
  readonly loadEngine?: () => Promise<QuicEngine>;
}

/** RFC 9000 section 10.2 wants three probe timeouts; this is that for a round trip of 300 ms. */
const lingerMs = 3_000;

const nothing = (): void => undefined;
const silent: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

/**
 * Makes a transport on QUIC with mutual TLS 1.3. Nothing is opened or loaded before `listen` or `connect`.
 * @throws RangeError that lists every wrong option.
 */
export function createQuicTransport(options: QuicTransportOptions, ports: QuicTransportPorts = {}): RotatingTransport {
  return new QuicTransport(resolveQuicTransportOptions(options), ports);
}

class QuicTransport implements RotatingTransport {
  readonly #config: QuicTransportConfig;
  readonly #scheduler: Scheduler;
  readonly #sockets: UdpSockets;
  readonly #ports: QuicTransportPorts;
  readonly #endpoints = new Set<Endpoint>();
  readonly #dials = new Set<Dial>();
  /** Sockets for dialing alone, while they are being opened: dials at the same time share one. */
  readonly #opening = new Map<4 | 6, Promise<Endpoint>>();
  /** All sockets that are being opened. */
  readonly #pending = new Set<Promise<Endpoint>>();
  /** Sockets that are out of use, and the end of their time. */
  readonly #lingering = new Map<Endpoint, Timer>();
  #engine: Promise<EngineContext> | null = null;
  /** What {@link #engine} has become. Endpoints ask for it at each connection, so that no other can be in use anywhere. */
  #current: EngineContext | null = null;
  #credentials: TlsCredentials;
  /** Settles when every call of {@link replaceCredentials} so far has; never rejects. */
  #replacing: Promise<void> = Promise.resolve();
  #closing: Promise<void> | null = null;

  constructor(config: QuicTransportConfig, ports: QuicTransportPorts) {
    this.#config = config;
    this.#credentials = config.credentials;
    this.#ports = ports;
    this.#scheduler = ports.scheduler ?? systemScheduler;
    this.#sockets = ports.sockets ?? nodeUdpSockets;
  }

  async listen(options: ListenOptions): Promise<Listener> {
    this.#checkOpen();
    const { host, port } = parseAddress(options.address, { allowPortZero: true });
    await this.#loadEngine();
    const resolved = await this.#resolve(host);
    // Connections that outlived an earlier listener still have its socket.
    const kept = [...this.#endpoints].find((one) => one.isBoundTo(resolved.host, port) && !one.isListening);
    const endpoint = kept ?? (await this.#openEndpoint(resolved, port));
    endpoint.listen(options.onConnection);
    return {
      address: endpoint.address,
      close: () => {
        endpoint.stopListening();
        // With the socket gone when this resolves, the port is free for the next listener.
        return endpoint.isUnused ? this.#drop(endpoint) : Promise.resolve();
      },
    };
  }

  connect(address: string, options: ConnectOptions = {}): Promise<Connection> {
    const { signal, timeoutMs = this.#config.connectTimeoutMs } = options;
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (!(Number.isFinite(timeoutMs) && timeoutMs > 0))
      return Promise.reject(new RangeError(`timeoutMs must be above 0, not ${timeoutMs}.`));
    if (this.#closing !== null) return Promise.reject(closedError());
    const dial = new Dial(address, options, timeoutMs, this.#scheduler, (ended) => this.#dials.delete(ended));
    this.#dials.add(dial);
    this.#dial(dial, address).catch((error: unknown) => dial.fail(error));
    return dial.result;
  }

  async replaceCredentials(credentials: TlsCredentials): Promise<void> {
    this.#checkOpen();
    const own = { ...credentials };
    checkCredentials(own);
    // One after the other, in the order of the calls: the last call decides, not the one whose engine is ready last.
    const replaced = this.#replacing.then(() => this.#replace(own));
    this.#replacing = replaced.catch(nothing);
    await replaced;
  }

  async #replace(credentials: TlsCredentials): Promise<void> {
    if (this.#engine !== null) {
      // Whoever dials meanwhile still uses the old ones; what was wrong with those is no concern any more.
      const engine = await this.#createContext(credentials);
      this.#current = engine;
      this.#engine = Promise.resolve(engine);
    }
    this.#credentials = credentials;
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const dial of this.#dials) dial.fail(closedError());
    for (const timer of this.#lingering.values()) timer.cancel();
    this.#lingering.clear();
    await Promise.allSettled(this.#pending);
    await Promise.all(Array.from(this.#endpoints, (endpoint) => endpoint.close()));
    this.#endpoints.clear();
  }

  #checkOpen(): void {
    if (this.#closing !== null) throw closedError();
  }

  async #dial(dial: Dial, address: string): Promise<void> {
    const { host, port } = parseAddress(address, { allowPortZero: false });
    await this.#loadEngine();
    const remote = await this.#resolve(host);
    if (isWildcard(remote.host)) {
      throw new QuicTransportError("OCTOPII_QUIC_INVALID_ADDRESS", `'${address}' stands for all interfaces; give the address of one.`);
    }
    let endpoint: Endpoint;
    do {
      if (dial.settled) return;
      endpoint = await this.#endpointFor(remote);
      if (dial.settled && endpoint.isUnused) this.#linger(endpoint);
      // Its time may just have come to an end.
    } while (!this.#endpoints.has(endpoint));
    if (dial.settled) return;
    const connection = endpoint.dial(remote.host, port, dial);
    if (connection !== null) {
      dial.attach(connection);
      return;
    }
    const { maxConnections } = this.#config;
    const message = `${maxConnections} connections that ${endpoint.address} dialed are open, which is the limit maxConnections; close some.`;
    throw new QuicTransportError("OCTOPII_QUIC_CONNECTION_LIMIT", message);
  }

  #loadEngine(): Promise<EngineContext> {
    if (this.#engine !== null) return this.#engine;
    const loading: Promise<EngineContext> = this.#createContext(this.#credentials).then(
      (context) => {
        // The credentials may have been replaced meanwhile.
        if (this.#engine === loading) this.#current = context;
        return context;
      },
      (error: unknown) => {
        // What was missing may be there the next time.
        if (this.#engine === loading) this.#engine = null;
        throw error;
      },
    );
    this.#engine = loading;
    return loading;
  }

  #currentEngine(): EngineContext {
    if (this.#current === null) throw new Error("A socket was used before the engine was loaded.");
    return this.#current;
  }

  async #createContext(credentials: TlsCredentials): Promise<EngineContext> {
    const engine = await (this.#ports.loadEngine ?? (() => loadNativeEngine()))();
    const { idleTimeoutMs, udpPayloadBytes, streamWindowBytes, connectionWindowBytes, congestionControl } = this.#config;
    checkCredentials(credentials);
    try {
      return engine.createContext({
        ...credentials,
        applicationProtocol,
        idleTimeoutMs,
        udpPayloadBytes,
        streamWindowBytes,
        connectionWindowBytes,
        congestionControl,
        keyLogFile: this.#config.insecureKeyLogFile,
      });
    } catch (cause) {
      throw invalid("The engine cannot use the credentials; issue them with @octopii/certificates", cause);
    }
  }

  async #resolve(host: string): Promise<ResolvedHost> {
    try {
      return await this.#sockets.resolve(host);
    } catch (cause) {
      const message = `The name '${host}' has no address; check the spelling and the name service.`;
      throw new QuicTransportError("OCTOPII_QUIC_UNRESOLVED_ADDRESS", message, { cause });
    }
  }

  /** A socket that reaches `remote`: the one that listens where there is one, so that peers see us under one address. */
  #endpointFor(remote: ResolvedHost): Promise<Endpoint> {
    const usable = [...this.#endpoints].filter((endpoint) => endpoint.family === remote.family && endpoint.canReach(remote.host));
    const endpoint = usable.find(({ isListening }) => isListening) ?? usable[0];
    if (endpoint !== undefined) return Promise.resolve(endpoint);
    const opening = this.#opening.get(remote.family);
    if (opening !== undefined) return opening;
    const wildcard = { host: remote.family === 6 ? "::" : "0.0.0.0", family: remote.family };
    const opened = this.#openEndpoint(wildcard, 0).finally(() => this.#opening.delete(remote.family));
    this.#opening.set(remote.family, opened);
    return opened;
  }

  /** Opens a socket; {@link close} waits for it. */
  #openEndpoint(resolved: ResolvedHost, port: number): Promise<Endpoint> {
    const opening = this.#open(resolved, port).finally(() => this.#pending.delete(opening));
    this.#pending.add(opening);
    return opening;
  }

  async #open({ host, family }: ResolvedHost, port: number): Promise<Endpoint> {
    const context: EndpointContext = {
      config: this.#config,
      engine: () => this.#currentEngine(),
      clock: this.#ports.clock ?? systemClock,
      scheduler: this.#scheduler,
      random: this.#ports.random ?? systemRandom,
      logger: this.#ports.logger ?? silent,
      unused: (unused) => this.#linger(unused),
    };
    const endpoint = new Endpoint(context, family);
    try {
      await endpoint.open(this.#sockets, host, port);
    } catch (cause) {
      throw bindError(formatAddress(host, port), cause);
    }
    if (this.#closing !== null) {
      await endpoint.close();
      throw closedError();
    }
    this.#endpoints.add(endpoint);
    return endpoint;
  }

  /**
   * A socket that nobody listens on and no connection uses would only keep the process alive. It is kept for a moment, to repeat to a
   * peer that its connection is closed where the first word of it was lost, and for the next dial.
   */
  #linger(endpoint: Endpoint): void {
    if (this.#closing !== null || this.#lingering.has(endpoint)) return;
    const timer = this.#scheduler.setTimer(lingerMs, () => {
      this.#lingering.delete(endpoint);
      if (endpoint.isUnused) this.#drop(endpoint).catch(nothing);
    });
    this.#lingering.set(endpoint, timer);
  }

  #drop(endpoint: Endpoint): Promise<void> {
    this.#endpoints.delete(endpoint);
    this.#lingering.get(endpoint)?.cancel();
    this.#lingering.delete(endpoint);
    return endpoint.close();
  }
}

function closedError(): QuicTransportError {
  return new QuicTransportError("OCTOPII_QUIC_TRANSPORT_CLOSED", "The transport is closed; make a new one.");
}

function bindError(address: string, cause: unknown): QuicTransportError {
  const { code } = cause as { readonly code?: unknown };
  const details = { address };
  if (code === "EADDRINUSE") {
    const message = `${address} is in use by another socket; stop its owner, or listen on another port (0 picks a free one).`;
    return new QuicTransportError("OCTOPII_QUIC_ADDRESS_IN_USE", message, { cause, details });
  }
  const message = `The system does not give us ${address} (${String(code)}); check that it is an address of this machine and that we may use it.`;
  return new QuicTransportError("OCTOPII_QUIC_ADDRESS_UNUSABLE", message, { cause, details });
}
