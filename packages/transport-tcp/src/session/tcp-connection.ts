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
import {
  checkProtocolName,
  encodeClose,
  encodeHello,
  encodeOpen,
  encodeReset,
  encodeStop,
  encodeStreamCount,
  type Hello,
} from "../wire/frame.js";
import { FrameReader } from "../wire/frame-reader.js";
import { lostClose, remoteClose, shortReason } from "./close.js";
import { FrameSender } from "./frame-sender.js";
import { Incoming, type IncomingHost } from "./incoming.js";
import { Liveness } from "./liveness.js";
import type { RefusalLog } from "./refusal-log.js";
import { StreamTable } from "./stream-table.js";
import { type StreamHost, TcpStream } from "./tcp-stream.js";

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
/** Rounds of "tell the owners, send what they wrote" in one turn. More go on in the next. */
const roundsMax = 8;
const nobody: PeerIdentity = { name: "", cluster: null, nodeId: null };

/** One connection: its TLS socket, the streams on it, and its timers. */
export class TcpConnection implements Connection, StreamHost, IncomingHost {
  readonly accepted: boolean;
  readonly remoteAddress: string;
  readonly closed: Promise<ConnectionClose>;
  onStream: ((stream: Stream) => void) | null = null;
  readonly #socket: TlsSocket;
  readonly #host: ConnectionHost;
  readonly #table: StreamTable;
  readonly #sender: FrameSender;
  readonly #reader: FrameReader;
  readonly #incoming: Incoming;
  readonly #liveness: Liveness;
  #peer: PeerIdentity = nobody;
  #state: State = "handshake";
  #resolveClosed: (close: ConnectionClose) => void = () => undefined;
  #closeAs: ConnectionClose | null = null;
  #timer: Timer | null = null;
  #notes: TcpStream[] = [];
  #openStreams = 0;
  #bytesReceived = 0;
  /** A turn is under way, or will be. */
  #scheduled = false;
  /** Something was asked for since the last look at it. */
  #again = false;
  #isGone = false;

  constructor(socket: TlsSocket, accepted: boolean, host: ConnectionHost) {
    const { config, clock, scheduler, random } = host;
    this.accepted = accepted;
    this.remoteAddress = socket.remoteAddress;
    this.#socket = socket;
    this.#host = host;
    this.#table = new StreamTable(accepted, config.maxIncomingStreams);
    this.#sender = new FrameSender(socket, config.maxFrameBytes, (stream, ended) => this.#sent(stream, ended));
    this.#liveness = new Liveness({
      clock,
      scheduler,
      random,
      idleTimeoutMs: config.idleTimeoutMs,
      push: (frame) => this.#push(frame),
      silent: () => this.closeAs({ by: "timeout", code: tcpCodes.idleTimeout, reason: "the peer fell silent" }),
    });
    this.#incoming = new Incoming(this, { table: this.#table, sender: this.#sender, liveness: this.#liveness }, config);
    this.#reader = new FrameReader(this.#incoming);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    socket.onSecure = (problem) => this.#guard(() => this.#secure(problem));
    socket.onData = (bytes) => {
      try {
        this.#data(bytes);
      } catch (error) {
        this.#fail(error);
      }
    };
    socket.onDrain = () => this.#turn();
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
    checkProtocolName(protocol);
    const { unidirectional = false } = options;
    const { maxWaitingStreams } = this.#host.config;
    if (this.#table.waitingBeyondCredit(unidirectional) >= maxWaitingStreams) {
      const message = `${maxWaitingStreams} streams to ${this.remoteAddress} wait until it allows more; let open ones end first.`;
      throw new TcpTransportError("OCTOPII_TCP_STREAM_LIMIT", message);
    }
    const stream = new TcpStream(this, protocol, { send: true, receive: !unidirectional });
    this.#table.enqueue(stream, unidirectional);
    this.#openStreams += 1;
    // At once if there is credit: then its first frame is ahead of whatever the owner does with it.
    this.#openWaiting();
    this.#wake();
    return stream;
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
      openStreams: this.#openStreams,
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
    for (const stream of this.#table.all()) stream.lose(close.code);
    this.#sender.clear();
    if (isSilent) this.#socket.destroy();
    else {
      this.#sender.push(encodeClose(close.code, close.reason));
      this.#linger();
    }
    this.#wake();
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
    if (this.#state !== "confirming" && this.#state !== "open") return;
    this.#liveness.heard();
    // Whoever dialed gets the connection by a promise: until the next turn, its streams have no owner.
    const isPrompt = !this.#scheduled && (this.accepted || this.#state === "open");
    if (isPrompt) this.#scheduled = true;
    const problem = this.#reader.push(bytes);
    if (problem !== null) this.#violation(problem);
    if (this.#sender.controlBytes > controlBytesMax) this.#violation("the peer sends and does not read");
    // Nobody has us wait for a turn, so this is one: what owners answer leaves at once.
    if (isPrompt) this.#turn();
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
      this.#fail(error);
    }
  }

  /** Nothing that a peer sends may throw out of the event loop; if it does, by a fault of ours, it costs this connection only. */
  #fail(error: unknown): void {
    this.#host.logger.error({ remote: this.remoteAddress, error }, "a connection failed by a fault of the transport");
    if (this.#state === "closed") return;
    this.#state = "closing";
    this.#closeAs = { by: "error", code: tcpCodes.failure, reason: "the transport failed" };
    this.#socket.destroy();
  }

  #handshakeExpired(): void {
    this.closeAs({ by: "timeout", code: tcpCodes.idleTimeout, reason: "the peer did not prove its identity in time" });
  }

  /** Tells owners what has happened, and sends what they and others want to send. */
  readonly #turn = (): void => {
    // What is asked for from here on is done in this turn, and needs none of its own.
    this.#scheduled = true;
    let isDone = true;
    try {
      isDone = this.#rounds();
    } catch (error) {
      this.#fail(error);
    }
    this.#scheduled = false;
    if (!isDone) this.#wake();
  };

  #rounds(): boolean {
    for (let round = 0; round < roundsMax; round += 1) {
      if (this.#isGone || this.#state === "closed") return true;
      this.#tell();
      this.#again = false;
      if (this.#state === "open") this.#openWaiting();
      const isFlushed = this.#sender.flush();
      if (this.#state === "closing" && isFlushed) {
        this.#end();
        return true;
      }
      if (this.#notes.length === 0 && !this.#again) return true;
    }
    return false;
  }

  #openWaiting(): void {
    const credit = this.#table.nextCredit();
    if (credit !== null) this.#push(encodeStreamCount(...credit));
    this.#table.openWaiting((stream) => {
      stream.sendLimit = this.#incoming.peerStreamWindow;
      this.#sender.push(encodeOpen(stream.id, stream.protocol));
      if (stream.stopDue >= 0) this.#sender.push(encodeStop(stream.id, stream.stopDue));
      this.#sender.sendable(stream);
    });
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
    for (const stream of this.#table.all()) stream.lose(close.code);
    this.#sender.clear();
    this.#state = "closed";
    this.#tell();
    this.#host.closed(this, close, failure);
    this.#resolveClosed(close);
  }

  /** What the owners' answers lead to is told in the next round or turn. */
  #tell(): void {
    if (this.#notes.length === 0) return;
    const notes = this.#notes;
    this.#notes = [];
    for (const stream of notes) {
      stream.noted = false;
      stream.tell();
    }
  }

  #wake(): void {
    this.#again = true;
    if (this.#scheduled || this.#state === "closed") return;
    this.#scheduled = true;
    this.#host.scheduler.nextTurn(this.#turn);
  }

  #push(frame: Uint8Array): void {
    this.#sender.push(frame);
    this.#wake();
  }

  #violation(problem: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#host.logger.warn({ remote: this.remoteAddress, problem }, "closed a connection whose peer broke the protocol");
    this.closeAs({ by: "error", code: tcpCodes.protocolViolation, reason: shortReason(problem) });
  }

  #sent(stream: TcpStream, ended: boolean): void {
    if (ended) stream.endSent();
    stream.took();
    if (ended) this.settle(stream);
  }

  // What the streams use.

  get sendBufferBytes(): number {
    return this.#host.config.sendBufferBytes;
  }

  get maxSendBufferBytes(): number {
    return this.#host.config.maxSendBufferBytes;
  }

  get streamWindowBytes(): number {
    return this.#host.config.streamWindowBytes;
  }

  sendable(stream: TcpStream): void {
    this.#sender.sendable(stream);
    this.#wake();
  }

  note(stream: TcpStream): void {
    if (stream.noted) return;
    stream.noted = true;
    this.#notes.push(stream);
    // Without a turn nobody would tell; the closing of a connection tells in its own.
    if (this.#state === "closed") this.#host.scheduler.nextTurn(() => this.#tell());
    else this.#wake();
  }

  sendReset(stream: TcpStream, code: number): void {
    if (stream.id >= 0) {
      stream.wireSendOver = true;
      this.#push(encodeReset(stream.id, code));
      this.settle(stream);
    } else if (this.#table.dequeue(stream)) stream.neverOpened(code);
  }

  sendStop(stream: TcpStream, code: number): void {
    if (stream.id >= 0) {
      if (!stream.wireReceiveOver) this.#push(encodeStop(stream.id, code));
    } else stream.stopDue = code;
  }

  consumed(stream: TcpStream, bytes: number): void {
    this.#incoming.consumed(stream, bytes);
    if (this.#sender.controlBytes > 0) this.#wake();
  }

  finished(stream: TcpStream): void {
    this.#openStreams -= 1;
    this.settle(stream);
  }

  call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      // The owner's bug is not to stop other connections in the middle of their turn; it surfaces right after it.
      this.#host.scheduler.nextTurn(() => {
        throw error;
      });
    }
  }

  // What the incoming frames use.

  greeted(hello: Hello): void {
    this.#sender.open(Math.max(1, hello.maxFrameBytes), hello.connectionWindowBytes);
    this.#table.addCredit(hello.streams, hello.streams);
    this.#timer?.cancel();
    this.#timer = null;
    this.#state = "open";
    this.#liveness.start();
    this.#host.opened(this);
  }

  createIncoming(id: number, protocol: string): TcpStream {
    const isUnidirectional = id % 4 >= 2;
    const stream = new TcpStream(this, protocol, { send: !isUnidirectional, receive: true });
    stream.sendLimit = this.#incoming.peerStreamWindow;
    this.#table.admit(id, stream);
    this.#openStreams += 1;
    stream.offer(this.#deliver);
    return stream;
  }

  readonly #deliver = (stream: TcpStream): void => {
    const { onStream } = this;
    if (onStream !== null) {
      this.call(() => onStream(stream));
      return;
    }
    stream.giveUpSending(tcpCodes.streamRefused);
    stream.giveUpReading(tcpCodes.streamRefused);
  };

  /** Nothing may be left of a stream: then it makes room for another. */
  settle(stream: TcpStream): void {
    if (!stream.isOver || !stream.wireReceiveOver || !stream.wireSendOver) return;
    if (this.#table.get(stream.id) !== stream) return;
    this.#table.remove(stream);
    this.#wake();
  }

  creditGrew(): void {
    this.#wake();
  }

  closedByPeer(code: number, reason: string): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    const short = shortReason(reason);
    this.#state = "closing";
    this.#closeAs = code === tcpCodes.refused ? { by: "error", code, reason: short } : remoteClose(code, short);
    for (const stream of this.#table.all()) stream.lose(code);
    this.#sender.clear();
    this.#linger();
    this.#wake();
  }
}
