import type { Connection, ConnectionClose, ConnectionStats, OpenStreamOptions, PeerIdentity, Stream } from "@octopii/interfaces";
import { TestingError } from "../errors.js";
import { checkCode, checkProtocol } from "./codes.js";
import type { Frame } from "./frames.js";
import { Liveness } from "./liveness.js";
import type { MemoryStream } from "./memory-stream.js";
import type { ConnectionLimits } from "./options.js";
import { Outbox } from "./outbox.js";
import { RoundTrip } from "./round-trip.js";
import type { Station, Wire } from "./station.js";
import { StreamTable } from "./stream-table.js";

/** A closing notice that gets lost is sent again so often; then the peer finds out by the silence. */
const CLOSE_ATTEMPTS = 8;
/** The most characters of a close reason that travel, as a QUIC packet has little room for more. */
const MAX_REASON = 1024;

/** What a connection is made of. */
export interface ConnectionParts {
  readonly station: Station;
  readonly wire: Wire;
  readonly peer: PeerIdentity;
  readonly peerHost: string;
  readonly remoteAddress: string;
  readonly limits: ConnectionLimits;
  /** This end called `connect`. */
  readonly initiator: boolean;
  /** Called when the first packet of the peer arrives, before it is handled. */
  readonly onConfirmed: (connection: MemoryConnection) => void;
  readonly onGone: (connection: MemoryConnection) => void;
}

/** One end of a connection between two stations. */
export class MemoryConnection implements Connection {
  readonly peer: PeerIdentity;
  readonly remoteAddress: string;
  readonly closed: Promise<ConnectionClose>;
  onStream: ((stream: Stream) => void) | null = null;
  readonly #parts: ConnectionParts;
  readonly #streams: StreamTable;
  readonly #outbox: Outbox;
  readonly #liveness: Liveness;
  readonly #roundTrip: RoundTrip;
  readonly #notes: MemoryStream[] = [];
  #settleClosed: (close: ConnectionClose) => void = () => undefined;
  #remote: MemoryConnection | null = null;
  #confirmed = false;
  #isClosed = false;
  #turnDue = false;
  #telling = false;
  /** Notes made now are told before the event ends. */
  #inEvent = false;
  #received = 0;
  #consumed = 0;
  #receiveLimit: number;

  constructor(parts: ConnectionParts) {
    const { station, limits } = parts;
    this.#parts = parts;
    this.peer = parts.peer;
    this.remoteAddress = parts.remoteAddress;
    this.closed = new Promise((resolve) => {
      this.#settleClosed = resolve;
    });
    this.#outbox = new Outbox(limits.peer.connectionWindowBytes);
    this.#receiveLimit = limits.own.connectionWindowBytes;
    this.#roundTrip = new RoundTrip(station.clock);
    this.#streams = new StreamTable(limits, this.#session(), parts.initiator);
    const giveUp = (): void => this.#finish({ by: "timeout", code: 0, reason: "The peer fell silent." }, true);
    this.#liveness = new Liveness(station.scheduler, limits.own.idleTimeoutMs, () => this.#ping(), giveUp);
    this.#liveness.start();
  }

  /** Names the other end; from now on frames can leave. */
  bind(remote: MemoryConnection): void {
    this.#remote = remote;
    if (this.#parts.initiator) this.#ping();
  }

  openStream(protocol: string, options: OpenStreamOptions = {}): Stream {
    checkProtocol(protocol);
    if (this.#isClosed) {
      throw new TestingError("OCTOPII_TESTING_CLOSED", `The connection to ${this.peer.name} is closed; connect again.`);
    }
    return this.#streams.open({ protocol, unidirectional: options.unidirectional ?? false });
  }

  close(code: number, reason: string): void {
    checkCode(code);
    if (this.#isClosed) return;
    const words = reason.slice(0, MAX_REASON);
    this.sendClose(code, words);
    this.#finish({ by: "local", code, reason: words }, false);
  }

  stats(): ConnectionStats {
    return {
      bytesSent: this.#outbox.bytesSent,
      bytesReceived: this.#received,
      roundTripMs: this.#roundTrip.smoothedMs,
      openStreams: this.#isClosed ? 0 : this.#streams.size,
    };
  }

  /** Forgets the connection without a word to the peer, which goes on believing in it until it hears nothing for long enough. */
  vanish(): void {
    this.#asEvent(() => this.#finish({ by: "timeout", code: 0, reason: "The connection was lost at this end alone." }, true));
  }

  /** Gives up one stream that `choose` picks, both directions, as a stack does that has run out of something. False if there is none. */
  resetStream(choose: (count: number) => number, code: number): boolean {
    const streams = this.#isClosed ? [] : this.#streams.all();
    const stream = streams.length === 0 ? undefined : streams[choose(streams.length)];
    if (stream === undefined) return false;
    stream.reset(code);
    stream.stop(code);
    return true;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** The station's process, for who has to reach this end. */
  get station(): Station {
    return this.#parts.station;
  }

  /** A packet from the peer. */
  receive(frames: readonly Frame[]): void {
    if (this.#isClosed) return;
    this.#liveness.heard();
    this.#asEvent(() => {
      if (!this.#confirmed) this.#confirm(frames);
      for (const frame of frames) if (!this.#isClosed) this.#handle(frame);
      this.#tell();
    });
  }

  /** Tells the peer that it is over, without waiting for our turn. */
  sendClose(code: number, reason: string): void {
    let attempts = 0;
    this.#transmit([{ kind: "close", code, reason }], () => {
      attempts += 1;
      return attempts > CLOSE_ATTEMPTS;
    });
  }

  /** A peer that closes before it said anything never became a connection. */
  #confirm(frames: readonly Frame[]): void {
    this.#confirmed = true;
    if (frames[0]?.kind !== "close") this.#parts.onConfirmed(this);
  }

  #handle(frame: Frame): void {
    switch (frame.kind) {
      case "stream": {
        this.#received += frame.bytes?.length ?? 0;
        const stream = this.#streams.forFrame(frame.id, frame.opening);
        if (stream === null) return this.#consume(frame.bytes?.length ?? 0);
        stream.receive(frame);
        return this.#note(stream);
      }
      case "streamLimit":
        return this.#streams.find(frame.id)?.receiveLimit(frame.limit);
      case "connectionLimit":
        this.#outbox.grow(frame.limit);
        return this.#wake();
      case "streamCount":
        return this.#streams.raise(frame.limit);
      case "stop":
        return this.#streams.stop(frame.id, frame.code);
      case "endReceived":
        return this.#streams.find(frame.id)?.receiveEndReceived();
      case "ping":
        return this.#send({ kind: "pong", sentAt: frame.sentAt });
      case "pong":
        return this.#roundTrip.answered(frame.sentAt);
      case "close":
        return this.#finish({ by: "remote", code: frame.code, reason: frame.reason }, true);
    }
  }

  #session(): ConstructorParameters<typeof StreamTable>[1] {
    return {
      queue: (stream) => {
        this.#outbox.enqueue(stream);
        this.#wake();
      },
      notify: (stream) => this.#note(stream),
      control: (frame) => this.#send(frame),
      consumed: (bytes) => this.#consume(bytes),
      remove: (stream) => {
        this.#streams.remove(stream);
        // The peer may be waiting for the room that this one leaves.
        if (!stream.local) this.#wake();
      },
      accept: (stream) => {
        if (this.onStream === null) return false;
        this.onStream(stream);
        return true;
      },
    };
  }

  #consume(bytes: number): void {
    this.#consumed += bytes;
    const window = this.#parts.limits.own.connectionWindowBytes;
    if ((this.#receiveLimit - this.#consumed) * 2 > window) return;
    this.#receiveLimit = this.#consumed + window;
    this.#send({ kind: "connectionLimit", limit: this.#receiveLimit });
  }

  #ping(): void {
    this.#send({ kind: "ping", sentAt: this.#roundTrip.asked() });
  }

  #send(frame: Frame): void {
    if (this.#isClosed) return;
    this.#outbox.put(frame);
    this.#wake();
  }

  #note(stream: MemoryStream): void {
    if (!stream.noted) {
      stream.noted = true;
      this.#notes.push(stream);
    }
    if (!this.#inEvent) this.#wake();
  }

  /** Asks for a turn: the owner's calls never lead straight back to its callbacks, and what it writes leaves together. */
  #wake(): void {
    if (this.#turnDue) return;
    this.#turnDue = true;
    this.#parts.station.scheduler.nextTurn(() => {
      this.#turnDue = false;
      this.#asEvent(() => {
        this.#tell();
        this.#flush();
        this.#tell();
      });
    });
  }

  #asEvent(body: () => void): void {
    this.#inEvent = true;
    try {
      body();
    } finally {
      this.#inEvent = false;
    }
  }

  #tell(): void {
    if (this.#telling) return;
    this.#telling = true;
    try {
      for (let stream = this.#notes.shift(); stream !== undefined; stream = this.#notes.shift()) {
        stream.noted = false;
        stream.tell();
      }
    } finally {
      this.#telling = false;
    }
  }

  #flush(): void {
    if (this.#isClosed || this.#remote === null) return;
    const limit = this.#streams.creditDue();
    if (limit !== null) this.#outbox.put({ kind: "streamCount", limit });
    for (let packet = this.#outbox.nextPacket(); packet !== null; packet = this.#outbox.nextPacket()) {
      this.#transmit(packet, () => this.#isClosed);
    }
  }

  #transmit(packet: readonly Frame[], abandoned: () => boolean): void {
    const remote = this.#remote;
    if (remote === null) return;
    const arrive = (): void => remote.station.enter(() => remote.receive(packet));
    this.#parts.wire.send(this.#parts.station, this.#parts.peerHost, arrive, abandoned, sizeOf(packet));
  }

  /** @param inEvent - nobody's call is on the stack, so the owners of streams can be told at once. */
  #finish(close: ConnectionClose, inEvent: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#liveness.stop();
    this.#outbox.clear();
    for (const stream of this.#streams.all()) stream.lose(close.code);
    this.#parts.onGone(this);
    this.#settleClosed(close);
    if (inEvent) this.#tell();
  }
}

/** About what a frame takes besides the bytes of a stream. */
const FRAME_BYTES = 24;

function sizeOf(packet: readonly Frame[]): number {
  let bytes = 0;
  for (const frame of packet) bytes += FRAME_BYTES + (frame.kind === "stream" ? (frame.bytes?.length ?? 0) : 0);
  return bytes;
}
