import type {
  Connection,
  ConnectionClose,
  ConnectionStats,
  Identification,
  OpenStreamOptions,
  PeerIdentity,
  Scheduler,
  Stream,
} from "@octopii/interfaces";
import { checkApplicationCode, quicCodes } from "../codes.js";
import { QuicTransportError } from "../errors.js";
import type { QuicTransportConfig } from "../options.js";
import type { EngineConnection } from "../ports.js";
import { engineClose, shortReason } from "./close.js";
import type { ConnectionHost, ConnectionPlace } from "./connection-host.js";
import { ConnectionStreams, type StreamsHost } from "./connection-streams.js";
import { ConnectionTimers } from "./connection-timers.js";
import { PacketSender } from "./packet-sender.js";

type State = "handshake" | "confirming" | "open" | "closing" | "closed";

const nobody: PeerIdentity = { name: "", cluster: null, nodeId: null };

/** One QUIC connection from its first packet to its last: the engine's state, who the peer is, and how it ends. */
export class QuicConnection implements Connection, StreamsHost {
  readonly place: ConnectionPlace;
  readonly remoteAddress: string;
  readonly closed: Promise<ConnectionClose>;
  /** It is in the endpoint's list for this turn or the next. */
  queued = false;
  onStream: ((stream: Stream) => void) | null = null;
  readonly #engine: EngineConnection;
  readonly #host: ConnectionHost;
  readonly #streams: ConnectionStreams;
  readonly #packets: PacketSender;
  readonly #timers: ConnectionTimers;
  #peer: PeerIdentity = nobody;
  #state: State = "handshake";
  #wasOpen = false;
  #resolveClosed: (close: ConnectionClose) => void = () => undefined;
  #closeAs: ConnectionClose | null = null;
  #bytesBeforeIdentity = 0;
  #fatal = false;

  constructor(engine: EngineConnection, place: ConnectionPlace, host: ConnectionHost) {
    this.#engine = engine;
    this.place = place;
    this.remoteAddress = place.remoteAddress;
    this.#host = host;
    const { idleTimeoutMs, handshakeTimeoutMs } = host.config;
    const timeouts = { idleTimeoutMs, handshakeTimeoutMs: place.accepted ? handshakeTimeoutMs : Number.POSITIVE_INFINITY };
    this.#timers = new ConnectionTimers(host, timeouts, () => this.#onTimer());
    this.#packets = new PacketSender(engine, host.socket, place);
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#streams = new ConnectionStreams(engine, place.accepted, this);
  }

  // What the owner uses.

  get peer(): PeerIdentity {
    return this.#peer;
  }

  openStream(protocol: string, options: OpenStreamOptions = {}): Stream {
    if (this.#state !== "open") {
      throw new QuicTransportError("OCTOPII_QUIC_CONNECTION_CLOSED", `The connection to ${this.remoteAddress} is closed; connect again.`);
    }
    return this.#streams.open(protocol, this.remoteAddress, options);
  }

  close(code: number, reason: string): void {
    checkApplicationCode(code);
    this.closeAs({ by: "local", code, reason: shortReason(reason) });
  }

  stats(): ConnectionStats {
    const { bytesSent, bytesReceived, roundTripMs } = this.#engine.stats();
    return { bytesSent, bytesReceived, roundTripMs, openStreams: this.#streams.openCount };
  }

  // What the streams use.

  get config(): QuicTransportConfig {
    return this.#host.config;
  }

  get scheduler(): Scheduler {
    return this.#host.scheduler;
  }

  get takesStreams(): boolean {
    return this.#state === "open";
  }

  get isClosing(): boolean {
    return this.#state === "closing";
  }

  wake(): void {
    if (this.#state !== "closed" && !this.queued) this.#host.wake(this);
  }

  violate(problem: string): void {
    this.#host.logger.warn({ remote: this.remoteAddress, problem }, "closed a connection whose peer broke the protocol");
    this.closeAs({ by: "error", code: quicCodes.protocolViolation, reason: shortReason(problem) });
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

  /** Runs an owner's callback; what it throws ends the process, but not this turn. */
  call(callback: () => void): void {
    this.#streams.call(callback);
  }

  /** {@link close} with any code, and by any cause. */
  closeAs(close: ConnectionClose): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    this.#state = "closing";
    this.#closeAs = close;
    this.#streams.end(close.code);
    this.wake();
  }

  /** Takes a datagram. What it brings is handled in {@link process}. */
  receiveDatagram(datagram: Uint8Array): void {
    if (this.#state === "closing" || this.#state === "closed") return;
    if (this.#state === "handshake" && this.place.accepted) {
      this.#bytesBeforeIdentity += datagram.length;
      if (this.#bytesBeforeIdentity > this.#host.config.maxUnestablishedBytes) {
        this.violate("the peer sent too much before it had proven its identity");
        return;
      }
    }
    this.#timers.heard();
    if (!this.#engine.receive(datagram)) this.#fatal = true;
    this.wake();
  }

  /** Sends the first packets of a dial. */
  start(): void {
    this.wake();
  }

  /** The first half of a turn: looks at what came in, and calls owners. */
  process(): void {
    if (this.#state === "handshake" && this.#engine.isEstablished()) this.#judge();
    if (this.#state === "confirming") this.#confirm();
    else if (this.#state === "open") this.#streams.process();
    this.#streams.unblock();
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
    const isDone = this.#state === "handshake" || this.#state === "closed" || this.#streams.flush();
    // Up to here whatever is asked for is done in this turn, and needs none of its own.
    this.queued = false;
    if (this.#state === "closed") return;
    if (!isDone) this.wake();
    if (this.#state === "closing" && this.#closeAs !== null) {
      this.#flushClose(this.#closeAs);
      return;
    }
    this.#sendPackets();
    this.#setTimer();
  }

  /** Ends it at once after a fault of our own; the peer is told if it can be. */
  fail(reason: string): void {
    if (this.#state === "closed") return;
    this.#engine.close(false, 1, "");
    this.#ended({ by: "error", code: quicCodes.engineFailure, reason });
  }

  // How it opens.

  #judge(): void {
    const verdict = this.#identify();
    if (!verdict.accepted) {
      if (this.place.accepted) this.#host.refusals.tell(this.remoteAddress, verdict.reason);
      this.closeAs({ by: "local", code: quicCodes.refused, reason: shortReason(verdict.reason) });
      return;
    }
    this.#peer = verdict.peer;
    this.#streams.openControl();
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
    this.#streams.processControl();
    if (this.#state !== "confirming" || !this.#streams.isConfirmed) return;
    this.#state = "open";
    this.#wasOpen = true;
    this.#host.opened(this);
    this.wake();
  }

  // How it ends.

  /** The owner is told at once; the peer as soon as the engine lets a packet out, for which its congestion window may have no room. */
  #flushClose(close: ConnectionClose): void {
    if (this.#timers.startLastWord()) {
      // What the engine holds goes out first, the end of our handshake above all: without it the peer could not read why.
      this.#sendPackets();
      // Before the handshake is done QUIC cannot carry an application's code.
      if (this.#engine.isEstablished()) this.#engine.close(true, close.code, close.reason);
      else this.#engine.close(false, 0x0c, "");
      this.#tellClosed(close);
    }
    const last = this.#packets.sendLast(this.#host.config.udpPayloadBytes);
    const mayCome = last === null && !this.#engine.isClosed() && this.#timers.mayLastWordWait;
    if (mayCome) this.#setTimer();
    else this.#leave(close, last);
  }

  #ended(close: ConnectionClose): void {
    const last = this.#packets.sendLast(this.#host.config.udpPayloadBytes);
    this.#tellClosed(close);
    this.#leave(close, last);
  }

  #tellClosed(close: ConnectionClose): void {
    this.#streams.end(close.code);
    this.#streams.tellAll();
    this.#resolveClosed(close);
  }

  #leave(close: ConnectionClose, last: Uint8Array | null): void {
    this.#state = "closed";
    this.#timers.cancel();
    this.#host.gone(this, close, last);
  }

  // Packets and time.

  #sendPackets(): void {
    if (this.#packets.sendBurst()) this.wake();
  }

  #setTimer(): void {
    this.#timers.set(this.#engine.timeout(), this.unidentified);
  }

  #onTimer(): void {
    if (this.#state === "closed") return;
    this.#engine.onTimeout();
    if (this.unidentified && this.#timers.isHandshakeOver) {
      this.closeAs({ by: "timeout", code: quicCodes.idleTimeout, reason: "the peer did not prove its identity in time" });
    } else if (this.#timers.takeKeepAlive()) this.#engine.keepAlive();
    this.wake();
  }
}
