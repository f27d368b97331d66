import { X509Certificate } from "node:crypto";
import type { Clock } from "@octopii/interfaces";
import {
  type EngineConnection,
  type EngineContext,
  type EngineError,
  type EngineSettings,
  type EngineStats,
  engineNone,
  type QuicEngine,
} from "../../src/ports.js";
import { initialDatagramBytesMin, isLongHeader, parseLongHeader } from "../../src/wire/packet.js";
import { type FakeFrame, readBody, writeBody, writeInitial, writeRetry, writeShort } from "./fake-packet.js";

const chunkBytes = 1_000;
/** Packets that may wait for their acknowledgement. */
const underWayMax = 64;
const repeatAfterMs = 100;
const nothing = new Uint8Array(0);

interface FakeStream {
  sent: number;
  sendLimit: number;
  received: Uint8Array[];
  receivedBytes: number;
  read: number;
  limit: number;
  ended: boolean;
  endRead: boolean;
}

/**
 * Takes the place of quiche where time is simulated, because quiche reads the real clock: a connection that repeats what was not
 * acknowledged, all from the first such packet on, and puts what overtook others back in order. It knows streams, their windows, Retry and close.
 */
class FakeConnection implements EngineConnection {
  finished = false;
  readonly #clock: Clock;
  readonly #settings: EngineSettings;
  readonly #accepted: boolean;
  readonly #ownId: Uint8Array;
  readonly #streams = new Map<number, FakeStream>();
  readonly #readable = new Set<number>();
  #peerId: Uint8Array;
  #token = nothing;
  #chain: readonly Uint8Array[] = [];
  #waiting: FakeFrame[] = [];
  /** The sequence number of the first that waits, how many of them were sent, and what is expected of the peer. */
  #first = 0;
  #sent = 0;
  #expected = 0;
  /** What came before its turn. */
  readonly #early = new Map<number, FakeFrame>();
  #acknowledge = false;
  #bytesSent = 0;
  #bytesReceived = 0;
  #sentAt = 0;
  #heardAt: number;
  #closing: EngineError | null = null;
  #closeSent = false;
  #peerError: EngineError | null = null;
  #timedOut = false;

  constructor(clock: Clock, settings: EngineSettings, accepted: boolean, ownId: Uint8Array, peerId: Uint8Array) {
    this.#clock = clock;
    this.#settings = settings;
    this.#accepted = accepted;
    this.#ownId = ownId.slice();
    this.#peerId = peerId.slice();
    this.#heardAt = clock.now();
    this.#waiting.push({ type: "handshake", certificate: new Uint8Array(new X509Certificate(settings.certificate).raw) });
  }

  receive(datagram: Uint8Array): boolean {
    if (this.isClosed()) return true;
    if (isLongHeader(datagram)) {
      const header = parseLongHeader(datagram);
      if (header === null) return true;
      if (header.type === "retry") {
        this.#retried(datagram, header.sourceId, header.destinationId.length);
        return true;
      }
      this.#peerId = header.sourceId.slice();
    }
    this.#heardAt = this.#clock.now();
    this.#bytesReceived += datagram.length;
    const { sequence, acknowledged, frame } = readBody(datagram);
    while (this.#first < acknowledged && this.#waiting.shift() !== undefined) {
      this.#first += 1;
      this.#sent = Math.max(0, this.#sent - 1);
    }
    if (frame.type === "close") this.#peerError = frame;
    if (sequence === null) return true;
    this.#acknowledge = true;
    if (sequence >= this.#expected) this.#early.set(sequence, frame);
    for (let next = this.#early.get(this.#expected); next !== undefined; next = this.#early.get(this.#expected)) {
      this.#early.delete(this.#expected);
      this.#expected += 1;
      this.#take(next);
    }
    return true;
  }

  #retried(datagram: Uint8Array, serverId: Uint8Array, idBytes: number): void {
    if (this.#accepted || this.#token.length > 0 || this.isEstablished()) return;
    this.#token = datagram.slice(7 + idBytes + serverId.length);
    this.#peerId = serverId.slice();
    this.#sent = 0;
  }

  #take(frame: FakeFrame): void {
    if (frame.type === "handshake") this.#chain = [frame.certificate];
    if (frame.type === "limit") {
      const stream = this.#stream(frame.id);
      stream.sendLimit = Math.max(stream.sendLimit, frame.limit);
    }
    if (frame.type !== "stream") return;
    const stream = this.#stream(frame.id);
    if (frame.bytes.length > 0) stream.received.push(frame.bytes);
    stream.receivedBytes += frame.bytes.length;
    stream.ended ||= frame.fin;
    this.#readable.add(frame.id);
  }

  send(out: Uint8Array): number {
    if (this.#peerError !== null || this.#timedOut || this.#closeSent) return 0;
    if (this.#closing !== null) {
      this.#closeSent = true;
      return this.#write(out, null, { type: "close", ...this.#closing });
    }
    const frame = this.#sent < underWayMax ? this.#waiting[this.#sent] : undefined;
    if (frame !== undefined) {
      this.#sent += 1;
      this.#sentAt = this.#clock.now();
      return this.#write(out, this.#first + this.#sent - 1, frame);
    }
    return this.#acknowledge ? this.#write(out, null, { type: "none" }) : 0;
  }

  #write(out: Uint8Array, sequence: number | null, frame: FakeFrame): number {
    this.#acknowledge = false;
    const isInitial = !this.#accepted && !this.isEstablished();
    const header = isInitial ? writeInitial(out, this.#peerId, this.#ownId, this.#token) : writeShort(out, this.#peerId);
    const end = writeBody(out, header, { sequence, acknowledged: this.#expected, frame });
    const length = isInitial ? Math.max(end, initialDatagramBytesMin) : end;
    this.#bytesSent += length;
    return length;
  }

  timeout(): number | null {
    if (this.isClosed()) return null;
    const idle = this.#heardAt + this.#settings.idleTimeoutMs;
    const repeat = this.#sent > 0 ? this.#sentAt + repeatAfterMs : Number.POSITIVE_INFINITY;
    return Math.max(0, Math.ceil(Math.min(idle, repeat) - this.#clock.now()));
  }

  onTimeout(): void {
    const now = this.#clock.now();
    if (now >= this.#heardAt + this.#settings.idleTimeoutMs) this.#timedOut = true;
    if (this.#sent > 0 && now >= this.#sentAt + repeatAfterMs) this.#sent = 0;
  }

  isEstablished(): boolean {
    return this.#chain.length > 0;
  }

  isDraining(): boolean {
    return this.#peerError !== null;
  }

  isClosed(): boolean {
    return this.#timedOut || this.#closeSent || this.#peerError !== null;
  }

  isTimedOut(): boolean {
    return this.#timedOut;
  }

  isReadable(): boolean {
    return this.#readable.size > 0;
  }

  streamReadable(id: number): boolean {
    return this.#readable.has(id);
  }

  readableStreams(): number[] {
    return [...this.#readable];
  }

  streamReceive(id: number, out: Uint8Array): number {
    this.finished = false;
    if (!this.#readable.has(id)) return engineNone;
    const stream = this.#stream(id);
    let length = 0;
    for (let chunk = stream.received[0]; chunk !== undefined && length < out.length; chunk = stream.received[0]) {
      const part = chunk.subarray(0, out.length - length);
      out.set(part, length);
      length += part.length;
      if (part.length === chunk.length) stream.received.shift();
      else stream.received[0] = chunk.subarray(part.length);
    }
    stream.read += length;
    const isAll = stream.received.length === 0;
    if (isAll) this.#readable.delete(id);
    this.finished = isAll && stream.ended && !stream.endRead;
    stream.endRead ||= this.finished;
    if (!stream.ended && (stream.limit - stream.read) * 2 < this.#settings.streamWindowBytes) {
      stream.limit = stream.read + this.#settings.streamWindowBytes;
      this.#waiting.push({ type: "limit", id, limit: stream.limit });
    }
    return length === 0 && !this.finished ? engineNone : length;
  }

  streamSend(id: number, bytes: Uint8Array, fin: boolean): number {
    const taken = Math.min(bytes.length, this.streamCapacity(id));
    const isLast = fin && taken === bytes.length;
    const stream = this.#stream(id);
    for (let at = 0; at < taken; at += chunkBytes) {
      const end = Math.min(taken, at + chunkBytes);
      this.#waiting.push({ type: "stream", id, fin: isLast && end === taken, bytes: bytes.slice(at, end) });
    }
    stream.sent += taken;
    return taken;
  }

  streamCapacity(id: number): number {
    const room = Math.max(0, underWayMax - this.#waiting.length) * chunkBytes;
    const stream = this.#stream(id);
    return Math.min(room, stream.sendLimit - stream.sent);
  }

  close(application: boolean, code: number, reason: string): void {
    this.#closing ??= { application, code, reason };
  }

  keepAlive(): void {
    this.#waiting.push({ type: "ping" });
  }

  peerChain(): readonly Uint8Array[] {
    return this.#chain;
  }

  peerError(): EngineError | null {
    return this.#peerError;
  }

  localError(): EngineError | null {
    return this.#closing;
  }

  stats(): EngineStats {
    return { bytesSent: this.#bytesSent, bytesReceived: this.#bytesReceived, packetsLost: 0, roundTripMs: this.isEstablished() ? 1 : null };
  }

  #stream(id: number): FakeStream {
    const known = this.#streams.get(id);
    if (known !== undefined) return known;
    const window = this.#settings.streamWindowBytes;
    const stream = { sent: 0, sendLimit: window, received: [], receivedBytes: 0, read: 0, limit: window, ended: false, endRead: false };
    this.#streams.set(id, stream);
    return stream;
  }
}

/** An engine whose only clock is the given one. It trusts every certificate: who the peer is, `identify` decides. */
export function fakeEngine(clock: Clock): QuicEngine {
  const createContext = (settings: EngineSettings): EngineContext => ({
    connect: (_serverName, sourceId) => new FakeConnection(clock, settings, false, sourceId, Uint8Array.from(sourceId).fill(7, 0, 8)),
    accept: (sourceId) => new FakeConnection(clock, settings, true, sourceId, nothing),
    retry: (clientId, _originalId, newId, token, out) => writeRetry(out, clientId, newId, token),
  });
  return { createContext };
}
