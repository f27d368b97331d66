import type {
  Clock,
  Connection,
  ConnectionClose,
  ConnectionStats,
  Identification,
  Logger,
  OpenStreamOptions,
  PeerIdentity,
  Random,
  Scheduler,
  Stream,
  Timer,
} from "@octopii/interfaces";
import { checkApplicationCode, tcpCodes } from "../codes.js";
import { TcpTransportError } from "../errors.js";
import type { TcpTransportConfig } from "../options.js";
import type { TlsFailure, TlsSocket } from "../ports.js";
import { encodeClose, encodeHello, type Hello } from "../wire/frame.js";
import { FrameReader } from "../wire/frame-reader.js";
import { lostClose, remoteClose, shortReason } from "./close.js";
import { ConnectionStreams, type StreamsHost } from "./connection-streams.js";
import { FrameSender } from "./frame-sender.js";
import { Incoming, type IncomingHost } from "./incoming.js";
import { Liveness } from "./liveness.js";
import type { RefusalLog } from "./refusal-log.js";
import { StreamTable } from "./stream-table.js";
import type { TcpStream } from "./tcp-stream.js";
import { type TurnHost, Turns } from "./turns.js";

/** What a connection needs from its transport. */
export interface ConnectionHost {
  readonly config: TcpTransportConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger: Logger;
  readonly refusals: RefusalLog;
  /** Each side has accepted the other: the connection can be used. */
  opened(connection: TcpConnection): void;
  /** The connection is over for its owner. @param failure - of the socket, where that was the cause. */
  closed(connection: TcpConnection, close: ConnectionClose, failure: TlsFailure | null): void;
  /** Its socket is gone too. */
  gone(connection: TcpConnection): void;
}

type State = "handshake" | "confirming" | "open" | "closing" | "closed";

/** How long a closed connection waits for the peer to end its side, so that the last frames are not lost with the socket. */
const lingerMs = 1_000;
/** Small frames that may wait for a peer that does not read. An honest one never lets them grow so far: what causes them is bounded. */
const controlBytesMax = 4 * 1024 * 1024;
const nobody: PeerIdentity = { name: "", cluster: null, nodeId: null };

/** One connection: the life of its socket, from the handshake to the last frame. */
export class TcpConnection implements Connection, StreamsHost, IncomingHost, TurnHost {
  readonly accepted: boolean;
  readonly remoteAddress: string;
  readonly closed: Promise<ConnectionClose>;
  onStream: ((stream: Stream) => void) | null = null;
  readonly #socket: TlsSocket;
  readonly #host: ConnectionHost;
  readonly #streams: ConnectionStreams;
  readonly #turns: Turns;
  readonly #sender: FrameSender;
  readonly #reader: FrameReader;
  readonly #incoming: Incoming;
  readonly #liveness: Liveness;
  #peer: PeerIdentity = nobody;
  #state: State = "handshake";
  #resolveClosed: (close: ConnectionClose) => void = () => undefined;
  #closeAs: ConnectionClose | null = null;
  #timer: Timer | null = null;
  #bytesReceived = 0;
  #isGone = false;

  constructor(socket: TlsSocket, accepted: boolean, host: ConnectionHost) {
    const { config, clock, scheduler, random } = host;
    this.accepted = accepted;
    this.remoteAddress = socket.remoteAddress;
    this.#socket = socket;
    this.#host = host;
    const table = new StreamTable(accepted, config.maxIncomingStreams);
    this.#sender = new FrameSender(socket, config.maxFrameBytes, (stream, ended) => this.#streams.sent(stream, ended));
    this.#streams = new ConnectionStreams(this, table, this.#sender);
    this.#turns = new Turns(scheduler, this);
    this.#liveness = new Liveness({
      clock,
      scheduler,
      random,
      idleTimeoutMs: config.idleTimeoutMs,
      push: (frame) => this.#push(frame),
      silent: () => this.closeAs({ by: "timeout", code: tcpCodes.idleTimeout, reason: "the peer fell silent" }),
    });
    this.#incoming = new Incoming(this, { table, sender: this.#sender, liveness: this.#liveness }, config);
    this.#reader = new FrameReader(this.#incoming);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.onSecure = (problem) => this.#guard(() => this.#secure(problem));
    socket.onData = (bytes) => {
      try {
        this.#data(bytes);
      } catch (error) {
        this.failed(error);
      }
    };
    socket.onDrain = this.#turns.run;
    socket.onClose = (failure) => this.#guard(() => this.#lost(failure));
    // A dial has a deadline of its own, which covers more than the handshake.
    if (accepted) this.#timer = scheduler.setTimer(config.handshakeTimeoutMs, () => this.#handshakeExpired());
  }

  // What the owner uses.

  get peer(): PeerIdentity {
    return this.#peer;
  }

  openStream(protocol: string, options: OpenStreamOptions = {}): Stream {
    if (this.#state !== "open") {
      throw new TcpTransportError("OCTOPII_TCP_CONNECTION_CLOSED", `The connection to ${this.remoteAddress} is closed; connect again.`);
    }
    return this.#streams.begin(protocol, options.unidirectional ?? false);
  }

  close(code: number, reason: string): void {
    checkApplicationCode(code);
    this.closeAs({ by: "local", code, reason: shortReason(reason) });
  }

  stats(): ConnectionStats {
    return {
      bytesSent: this.#sender.bytesSent,
      bytesReceived: this.#bytesReceived,
      roundTripMs: this.#liveness.roundTripMs,
      openStreams: this.#streams.open,
    };
  }

  // What the transport uses.

  /** Whether the two sides have not accepted each other yet. */
  get isUnestablished(): boolean {
    return this.#state === "handshake" || this.#state === "confirming";
  }

  /** {@link close} with any code, and by any cause. */
  closeAs(close: ConnectionClose): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    const isSilent = this.#state === "handshake" && close.code !== tcpCodes.refused;
    this.#state = "closing";
    this.#closeAs = close;
    this.#streams.lose(close.code);
    if (isSilent) this.#socket.destroy();
    else {
      this.#sender.push(encodeClose(close.code, close.reason));
      this.#linger();
    }
    this.#turns.wake();
  }

  /** Ends it without a word, before anything was proven. */
  abandon(): void {
    if (!this.isUnestablished) return;
    this.#state = "closing";
    this.#closeAs = { by: "local", code: tcpCodes.idleTimeout, reason: "a newer attempt took its place" };
    this.#socket.destroy();
  }

  // What happens on the socket.

  #secure(problem: string | null): void {
    if (this.#state !== "handshake") return;
    const verdict: Identification = problem === null ? this.#identify() : { accepted: false, reason: problem };
    if (!verdict.accepted) {
      if (this.accepted) this.#host.refusals.tell(this.remoteAddress, verdict.reason);
      this.closeAs({ by: "local", code: tcpCodes.refused, reason: shortReason(verdict.reason) });
      return;
    }
    this.#peer = verdict.peer;
    this.#state = "confirming";
    const { maxFrameBytes, streamWindowBytes, connectionWindowBytes, maxIncomingStreams: streams } = this.#host.config;
    this.#push(encodeHello({ maxFrameBytes, streamWindowBytes, connectionWindowBytes, streams }));
  }

  #identify(): Identification {
    try {
      return this.#host.config.identify(this.#socket.peerChain());
    } catch (error) {
      this.#host.logger.error({ remote: this.remoteAddress, error }, "identify threw, which counts as a refusal");
      return { accepted: false, reason: "the identity could not be checked" };
    }
  }

  #data(bytes: Uint8Array): void {
    this.#bytesReceived += bytes.length;
    if (!this.takesFrames) return;
    this.#liveness.heard();
    // Whoever dialed gets the connection by a promise: until the next turn, its streams have no owner.
    const isPrompt = (this.accepted || this.#state === "open") && this.#turns.claim();
    const problem = this.#reader.push(bytes);
    if (problem !== null) this.#violation(problem);
    if (this.#sender.controlBytes > controlBytesMax) this.#violation("the peer sends and does not read");
    // Nobody has us wait for a turn, so this is one: what owners answer leaves at once.
    if (isPrompt) this.#turns.run();
  }

  #lost(failure: TlsFailure | null): void {
    this.#isGone = true;
    this.#timer?.cancel();
    if (this.#state !== "closed") {
      const close = this.#closeAs ?? lostClose(failure);
      this.#finish(close, this.#closeAs === null ? failure : null);
    }
    this.#host.gone(this);
  }

  #guard(step: () => void): void {
    try {
      step();
    } catch (error) {
      this.failed(error);
    }
  }

  /** Nothing that a peer sends may throw out of the event loop; if it does, by a fault of ours, it costs this connection only. */
  failed(error: unknown): void {
    this.#host.logger.error({ remote: this.remoteAddress, error }, "a connection failed by a fault of the transport");
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#closeAs = { by: "error", code: tcpCodes.failure, reason: "the transport failed" };
    this.#socket.destroy();
  }

  #handshakeExpired(): void {
    this.closeAs({ by: "timeout", code: tcpCodes.idleTimeout, reason: "the peer did not prove its identity in time" });
  }

  // What turns use.

  get isOver(): boolean {
    return this.#isGone || this.#state === "closed";
  }

  get hasNews(): boolean {
    return this.#streams.hasNews;
  }

  tell(): void {
    this.#streams.tell();
  }

  send(): void {
    if (this.#state === "open") this.#streams.openWaiting();
    const isFlushed = this.#sender.flush();
    if (this.#state === "closing" && isFlushed) this.#end();
  }

  /** The last frame is on its way: our side of the socket ends. */
  #end(): void {
    const close = this.#closeAs ?? lostClose(null);
    this.#socket.end();
    this.#finish(close, null);
  }

  /** From when it is to close, it has a moment to get its last frame out, and the peer to end its own side. */
  #linger(): void {
    this.#liveness.stop();
    this.#timer?.cancel();
    this.#timer = this.#host.scheduler.setTimer(lingerMs, () => this.#socket.destroy());
  }

  #finish(close: ConnectionClose, failure: TlsFailure | null): void {
    this.#liveness.stop();
    this.#streams.lose(close.code);
    this.#state = "closed";
    this.#streams.tell();
    this.#host.closed(this, close, failure);
    this.#resolveClosed(close);
  }

  wake(): void {
    this.#turns.wake();
  }

  #push(frame: Uint8Array): void {
    this.#sender.push(frame);
    this.#turns.wake();
  }

  #violation(problem: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#host.logger.warn({ remote: this.remoteAddress, problem }, "closed a connection whose peer broke the protocol");
    this.closeAs({ by: "error", code: tcpCodes.protocolViolation, reason: shortReason(problem) });
  }

  // What the streams use.

  get config(): TcpTransportConfig {
    return this.#host.config;
  }

  get scheduler(): Scheduler {
    return this.#host.scheduler;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  get peerStreamWindow(): number {
    return this.#incoming.peerStreamWindow;
  }

  consumed(stream: TcpStream, bytes: number): void {
    this.#incoming.consumed(stream, bytes);
  }

  call(callback: () => void): void {
    this.#streams.call(callback);
  }

  // What the incoming frames use.

  greeted(hello: Hello): void {
    if (this.#state !== "confirming") return;
    this.#sender.open(Math.max(1, hello.maxFrameBytes), hello.connectionWindowBytes);
    this.#streams.addCredit(hello.streams);
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = "open";
    this.#liveness.start();
    this.#host.opened(this);
  }

  get takesFrames(): boolean {
    return this.#state === "confirming" || this.#state === "open";
  }

  createIncoming(id: number, protocol: string): TcpStream {
    return this.#streams.createIncoming(id, protocol);
  }

  settle(stream: TcpStream): void {
    this.#streams.settle(stream);
  }

  creditGrew(): void {
    this.#turns.wake();
  }

  closedByPeer(code: number, reason: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    const short = shortReason(reason);
    this.#state = "closing";
    this.#closeAs = code === tcpCodes.refused ? { by: "error", code, reason: short } : remoteClose(code, short);
    this.#streams.lose(code);
    this.#linger();
    this.#turns.wake();
  }
}
