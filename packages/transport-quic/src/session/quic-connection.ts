import type {
  Clock,
  Connection,
  ConnectionClose,
  ConnectionStats,
  Identification,
  Logger,
  OpenStreamOptions,
  PeerIdentity,
  Scheduler,
  Stream,
} from "@octopii/interfaces";
import { checkApplicationCode, quicCodes } from "../codes.js";
import { QuicTransportError } from "../errors.js";
import type { QuicTransportConfig } from "../options.js";
import type { EngineConnection, UdpSocket } from "../ports.js";
import type { ControlMessage } from "../wire/control.js";
import { engineClose, shortReason } from "./close.js";
import { EarliestTimer } from "./earliest-timer.js";
import { PacketSender } from "./packet-sender.js";
import { QuicStream, type StreamHost } from "./quic-stream.js";
import type { RefusalLog } from "./refusal-log.js";
import { type ReceiverHost, StreamReceiver } from "./stream-receiver.js";
import { StreamSender } from "./stream-sender.js";
import { StreamTable } from "./stream-table.js";

/** What a connection needs from its endpoint. */
export interface ConnectionHost {
  readonly config: QuicTransportConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly refusals: RefusalLog;
  readonly socket: UdpSocket;
  /** Has the connection processed and flushed in this turn or the next. */
  wake(connection: QuicConnection): void;
  /** The peer was identified, and the connection can be used; for one that we dialed, only when the peer has accepted us too. */
  opened(connection: QuicConnection): void;
  /** The connection is over. `lastDatagram` tells the peer so; null where the peer said it first. */
  gone(connection: QuicConnection, close: ConnectionClose, lastDatagram: Uint8Array | null): void;
}

/** Where a connection is at the other end, and which side it is of. */
export interface ConnectionPlace {
  readonly accepted: boolean;
  readonly key: number;
  readonly remoteHost: string;
  readonly remotePort: number;
  readonly remoteAddress: string;
}

type State = "handshake" | "confirming" | "open" | "closing" | "closed";

/** Rounds of "give the engine bytes, call those who have room again" in one turn. More go on in the next. */
const roundsMax = 8;
/** A few probe timeouts, after which the engine sends also beyond its congestion window. */
const lastWordMs = 1_000;
const nobody: PeerIdentity = { name: "", cluster: null, nodeId: null };

/** One QUIC connection: the engine's state, the streams on it, and its timers. */
export class QuicConnection implements Connection, StreamHost, ReceiverHost {
  readonly place: ConnectionPlace;
  readonly remoteAddress: string;
  readonly closed: Promise<ConnectionClose>;
  /** It is in the endpoint's list for this turn or the next. */
  queued = false;
  onStream: ((stream: Stream) => void) | null = null;
  readonly #engine: EngineConnection;
  readonly #host: ConnectionHost;
  readonly #table: StreamTable;
  readonly #sender: StreamSender;
  readonly #receiver: StreamReceiver;
  readonly #packets: PacketSender;
  readonly #timer: EarliestTimer;
  readonly #keepAliveMs: number;
  readonly #handshakeDeadline: number;
  #peer: PeerIdentity = nobody;
  #state: State = "handshake";
  #confirmed = false;
  #wasOpen = false;
  #resolveClosed: (close: ConnectionClose) => void = () => undefined;
  #closeAs: ConnectionClose | null = null;
  #finished: QuicStream[] = [];
  #rechecks: QuicStream[] = [];
  #openStreams = 0;
  #bytesBeforeIdentity = 0;
  #heard = true;
  #fatal = false;
  /** Until when the engine may take to let the word of our close out; null while we have not closed. */
  #lastWordBy: number | null = null;
  #keepAliveAt: number;

  constructor(engine: EngineConnection, place: ConnectionPlace, host: ConnectionHost) {
    this.#engine = engine;
    this.place = place;
    this.remoteAddress = place.remoteAddress;
    this.#host = host;
    const { config } = host;
    const now = host.clock.now();
    this.#keepAliveMs = config.idleTimeoutMs / 3;
    this.#keepAliveAt = now + this.#keepAliveMs;
    // A dial has a deadline of its own, which covers more than the handshake.
    this.#handshakeDeadline = place.accepted ? now + config.handshakeTimeoutMs : Number.POSITIVE_INFINITY;
    this.#table = new StreamTable(place.accepted, config.maxIncomingStreams);
    this.#sender = new StreamSender(engine, this.#table, config.sendBufferBytes, (problem) => this.#violation(problem));
    this.#receiver = new StreamReceiver(engine, this.#table, this);
    this.#packets = new PacketSender(engine, host.socket, place);
    this.#timer = new EarliestTimer(host.clock, host.scheduler, () => this.#onTimer());
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
  }

  // What the owner uses.

  get peer(): PeerIdentity {
    return this.#peer;
  }

  openStream(protocol: string, options: OpenStreamOptions = {}): Stream {
    if (this.#state !== "open") {
      throw new QuicTransportError("OCTOPII_QUIC_CONNECTION_CLOSED", `The connection to ${this.remoteAddress} is closed; connect again.`);
    }
    const { unidirectional = false } = options;
    const { maxWaitingStreams } = this.#host.config;
    if (this.#table.waitingBeyondCredit(unidirectional) >= maxWaitingStreams) {
      const message = `${maxWaitingStreams} streams to ${this.remoteAddress} wait until it allows more; let open ones end first.`;
      throw new QuicTransportError("OCTOPII_QUIC_STREAM_LIMIT", message);
    }
    const stream = QuicStream.opening(this, protocol, unidirectional);
    this.#table.enqueue(stream, unidirectional);
    this.#openStreams += 1;
    this.#wake();
    return stream;
  }

  close(code: number, reason: string): void {
    checkApplicationCode(code);
    this.closeAs({ by: "local", code, reason: shortReason(reason) });
  }

  stats(): ConnectionStats {
    const { bytesSent, bytesReceived, roundTripMs } = this.#engine.stats();
    return { bytesSent, bytesReceived, roundTripMs, openStreams: this.#openStreams };
  }

  // What the endpoint uses.

  /** Whether the two sides have not accepted each other yet. */
  get unidentified(): boolean {
    return this.#state === "handshake" || this.#state === "confirming";
  }

  /** Whether they never did, up to the end. */
  get neverIdentified(): boolean {
    return !this.#wasOpen;
  }

  /** {@link close} with any code, and by any cause. */
  closeAs(close: ConnectionClose): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#state = "closing";
    this.#closeAs = close;
    for (const stream of this.#table.all()) stream.connectionClosed(close.code);
    this.#wake();
  }

  /** Takes a datagram. What it brings is handled in {@link process}. */
  receiveDatagram(datagram: Uint8Array): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    if (this.#state === "handshake" && this.place.accepted) {
      this.#bytesBeforeIdentity += datagram.length;
      if (this.#bytesBeforeIdentity > this.#host.config.maxUnestablishedBytes) {
        this.#violation("the peer sent too much before it had proven its identity");
        return;
      }
    }
    this.#heard = true;
    if (!this.#engine.receive(datagram)) this.#fatal = true;
    this.#wake();
  }

  /** Sends the first packets of a dial. */
  start(): void {
    this.#wake();
  }

  /** The first half of a turn: looks at what came in, and calls owners. */
  process(): void {
    if (this.#state === "handshake" && this.#engine.isEstablished()) this.#judge();
    if (this.#state === "confirming") this.#confirm();
    else if (this.#state === "open") this.#receiver.process();
    this.#sender.unblock();
    if (this.#state === "closing" || this.#state === "closed") return;
    if (!(this.#fatal || this.#engine.isDraining() || this.#engine.isClosed())) return;
    const close = engineClose(this.#engine);
    if (this.place.accepted && close.by === "local" && close.code === quicCodes.refused) {
      this.#host.refusals.tell(this.remoteAddress, close.reason);
    }
    this.#ended(close);
  }

  /** The second half of a turn: hands the streams' bytes to the engine, and its packets to the socket. */
  flush(): void {
    const isDone = this.#state === "handshake" || this.#state === "closed" || this.#flushStreams();
    // Up to here whatever is asked for is done in this turn, and needs none of its own.
    this.queued = false;
    if (this.#state === "closed") return;
    if (!isDone) this.#wake();
    if (this.#state === "closing" && this.#closeAs !== null) {
      this.#flushClose(this.#closeAs);
      return;
    }
    this.#sendPackets();
    this.#setTimer();
  }

  /** The owner is told at once; the peer as soon as the engine lets a packet out, for which its congestion window may have no room. */
  #flushClose(close: ConnectionClose): void {
    if (this.#lastWordBy === null) {
      // What the engine holds goes out first, the end of our handshake above all: without it the peer could not read why.
      this.#sendPackets();
      // Before the handshake is done QUIC cannot carry an application's code.
      if (this.#engine.isEstablished()) this.#engine.close(true, close.code, close.reason);
      else this.#engine.close(false, 0x0c, "");
      this.#lastWordBy = this.#host.clock.now() + lastWordMs;
      this.#tellClosed(close);
    }
    const last = this.#packets.sendLast(this.#host.config.udpPayloadBytes);
    const mayCome = last === null && !this.#engine.isClosed() && this.#host.clock.now() < this.#lastWordBy;
    if (mayCome) this.#setTimer();
    else this.#leave(close, last);
  }

  /** Ends it at once after a fault of our own; the peer is told if it can be. */
  fail(reason: string): void {
    if (this.#state === "closed") return;
    this.#engine.close(false, 1, "");
    this.#ended({ by: "error", code: quicCodes.engineFailure, reason });
  }

  #judge(): void {
    const verdict = this.#identify();
    if (!verdict.accepted) {
      if (this.place.accepted) this.#host.refusals.tell(this.remoteAddress, verdict.reason);
      this.closeAs({ by: "local", code: quicCodes.refused, reason: shortReason(verdict.reason) });
      return;
    }
    this.#peer = verdict.peer;
    this.#sender.openControl();
    this.#state = "confirming";
  }

  #identify(): Identification {
    try {
      return this.#host.config.identify(this.#engine.peerChain());
    } catch (error) {
      this.#host.logger.error({ remote: this.remoteAddress, error }, "identify threw, which counts as a refusal");
      return { accepted: false, reason: "the identity could not be checked" };
    }
  }

  /**
   * Waits for the first word on the peer's control stream: its acceptance. An owner never sees a connection that its peer has refused.
   * Streams wait for the next turn, when they have an owner.
   */
  #confirm(): void {
    this.#receiver.processControl();
    if (this.#state !== "confirming" || !this.#confirmed) return;
    this.#state = "open";
    this.#wasOpen = true;
    this.#host.opened(this);
    this.#wake();
  }

  /** @returns whether nothing is left to do. */
  #flushStreams(): boolean {
    for (let round = 0; round < roundsMax; round += 1) {
      this.#callRechecks();
      if (this.#state !== "closing") this.#sender.flush();
      const drained = this.#sender.takeDrained();
      for (const stream of drained) stream.drainEvent();
      const finished = this.#finished;
      if (drained.length === 0 && finished.length === 0) return true;
      this.#finished = [];
      for (const stream of finished) stream.closeEvent();
    }
    return false;
  }

  #callRechecks(): void {
    if (this.#rechecks.length === 0) return;
    const rechecks = this.#rechecks;
    this.#rechecks = [];
    for (const stream of rechecks) stream.recheckEvents();
  }

  #sendPackets(): void {
    if (this.#packets.sendBurst()) this.#wake();
  }

  #ended(close: ConnectionClose): void {
    const last = this.#packets.sendLast(this.#host.config.udpPayloadBytes);
    this.#tellClosed(close);
    this.#leave(close, last);
  }

  #tellClosed(close: ConnectionClose): void {
    for (const stream of this.#table.all()) stream.connectionClosed(close.code);
    this.#callRechecks();
    const finished = this.#finished;
    this.#finished = [];
    for (const stream of finished) stream.closeEvent();
    this.#resolveClosed(close);
  }

  #leave(close: ConnectionClose, last: Uint8Array | null): void {
    this.#state = "closed";
    this.#timer.cancel();
    this.#host.gone(this, close, last);
  }

  /** Has the timer go off for the first of: the engine's, the next keep-alive, the end of the handshake's time. */
  #setTimer(): void {
    const now = this.#host.clock.now();
    const timeout = this.#engine.timeout();
    // The engine gives whole milliseconds, rounded down.
    const engineAt = timeout === null ? Number.POSITIVE_INFINITY : now + timeout + 1;
    const own = this.#lastWordBy ?? (this.unidentified ? this.#handshakeDeadline : this.#keepAliveAt);
    this.#timer.setBy(Math.min(engineAt, own));
  }

  #onTimer(): void {
    if (this.#state === "closed") return;
    const now = this.#host.clock.now();
    this.#engine.onTimeout();
    if (this.unidentified && now >= this.#handshakeDeadline) {
      this.closeAs({ by: "timeout", code: quicCodes.idleTimeout, reason: "the peer did not prove its identity in time" });
    } else if (this.#lastWordBy === null && now >= this.#keepAliveAt) {
      if (!this.#heard) this.#engine.keepAlive();
      this.#heard = false;
      this.#keepAliveAt = now + this.#keepAliveMs;
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#state !== "closed" && !this.queued) this.#host.wake(this);
  }

  // What the streams use.

  get sendBufferBytes(): number {
    return this.#host.config.sendBufferBytes;
  }

  get maxSendBufferBytes(): number {
    return this.#host.config.maxSendBufferBytes;
  }

  sendable(stream: QuicStream): void {
    this.#sender.sendable(stream);
    this.#wake();
  }

  cut(stream: QuicStream, direction: "send" | "receive", code: number): void {
    this.#sender.cut(stream, direction, code);
    this.#wake();
  }

  receive(stream: QuicStream): Uint8Array | null {
    const bytes = this.#receiver.receive(stream);
    this.#wake();
    return bytes;
  }

  finished(stream: QuicStream): void {
    this.#openStreams -= 1;
    this.#finished.push(stream);
    this.settle(stream);
    this.#wake();
  }

  recheck(stream: QuicStream): void {
    this.#rechecks.push(stream);
    this.#wake();
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

  // What the receiver uses.

  get takesStreams(): boolean {
    return this.#state === "open";
  }

  createIncoming(unidirectional: boolean): QuicStream {
    this.#openStreams += 1;
    return new QuicStream(this, "", { send: !unidirectional, receive: true });
  }

  deliver(stream: QuicStream): void {
    const { onStream } = this;
    if (onStream !== null) {
      this.call(() => onStream(stream));
      return;
    }
    stream.giveUpSending(quicCodes.streamRefused);
    stream.giveUpReading(quicCodes.streamRefused);
  }

  control(message: ControlMessage): void {
    this.#confirmed = true;
    if (message.type === "credit") {
      this.#table.addCredit(message.bidirectional, message.unidirectional);
      return;
    }
    const { type, streamId, code } = message;
    const stream = this.#table.get(streamId);
    if (stream === undefined) this.#table.cutEarly(streamId, { [type]: code });
    else if (type === "stop") this.#sender.stopStream(stream, code);
    else this.#resetByPeer(stream, code);
  }

  cutEarly(stream: QuicStream, stop: number | undefined, reset: number | undefined): void {
    if (stop !== undefined) this.#sender.stopStream(stream, stop);
    if (reset !== undefined) this.#resetByPeer(stream, reset);
  }

  #resetByPeer(stream: QuicStream, code: number): void {
    const known = stream.partialPreamble === null;
    stream.receiveReset(code);
    // Nobody here will ever use a stream whose first bytes were given up.
    if (!known) stream.giveUpSending(code);
  }

  settle(stream: QuicStream): void {
    if (!stream.isOver || !stream.engineReceiveOver || !stream.engineSendOver) return;
    if (this.#table.get(stream.id) === stream) this.#table.remove(stream);
  }

  violate(problem: string): void {
    this.#violation(problem);
  }

  #violation(problem: string): void {
    this.#host.logger.warn({ remote: this.remoteAddress, problem }, "closed a connection whose peer broke the protocol");
    this.closeAs({ by: "error", code: quicCodes.protocolViolation, reason: shortReason(problem) });
  }
}
