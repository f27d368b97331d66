import { TestingError } from "../errors.js";
import type { StreamOpening } from "./frames.js";
import { MemoryStream, type StreamSession } from "./memory-stream.js";
import type { ConnectionLimits } from "./options.js";

/**
 * The streams of one end of a connection. Ids count up in steps of two from 0 for the end that connected and from 1 for the other, so
 * neither has to ask (after RFC 9000 §2.1).
 */
export class StreamTable {
  readonly #limits: ConnectionLimits;
  readonly #session: StreamSession;
  readonly #parity: 0 | 1;
  readonly #live = new Map<number, MemoryStream>();
  readonly #waiting = new Set<MemoryStream>();
  /** Ids of the peer's streams that were overtaken by later ones. */
  readonly #overtaken = new Set<number>();
  /** What the peer asked of its streams before they were announced: such a request may overtake the stream. Code by id. */
  readonly #earlyStops = new Map<number, number>();
  #announced = 0;
  #mayAnnounce: number;
  #peerSeen = 0;
  #peerClosed = 0;
  #peerLimit: number;

  constructor(limits: ConnectionLimits, session: StreamSession, initiator: boolean) {
    this.#limits = limits;
    this.#session = session;
    this.#parity = initiator ? 0 : 1;
    this.#mayAnnounce = limits.peer.maxStreams;
    this.#peerLimit = limits.own.maxStreams;
  }

  get size(): number {
    return this.#live.size + this.#waiting.size;
  }

  find(id: number): MemoryStream | undefined {
    return this.#live.get(id);
  }

  /** Every stream, announced or waiting. */
  all(): MemoryStream[] {
    return [...this.#live.values(), ...this.#waiting];
  }

  /** @throws {TestingError} `OCTOPII_TESTING_TOO_MANY_STREAMS` when as many wait for credit as may. */
  open(opening: StreamOpening): MemoryStream {
    const waits = this.#announced >= this.#mayAnnounce;
    if (waits && this.#waiting.size >= this.#limits.own.maxWaitingStreams) {
      throw new TestingError(
        "OCTOPII_TESTING_TOO_MANY_STREAMS",
        `${this.#waiting.size} streams wait for the peer's credit already (maxWaitingStreams); close some before you open more.`,
      );
    }
    const stream = new MemoryStream(this.#session, -1, true, opening, this.#limits);
    if (waits) this.#waiting.add(stream);
    else this.#announce(stream);
    return stream;
  }

  /** The peer lets us open streams up to `limit` since the beginning. */
  raise(limit: number): void {
    this.#mayAnnounce = Math.max(this.#mayAnnounce, limit);
    for (const stream of this.#waiting) {
      if (this.#announced >= this.#mayAnnounce) break;
      this.#waiting.delete(stream);
      this.#announce(stream);
    }
  }

  /** The stream that the peer's frame belongs to, made if it is new; null if it is over, or breaks the limit. */
  forFrame(id: number, opening: StreamOpening): MemoryStream | null {
    const known = this.#live.get(id);
    if (known !== undefined) return known;
    if (id % 2 === this.#parity || !this.#isNew(id >>> 1)) return null;
    const stream = new MemoryStream(this.#session, id, false, opening, this.#limits);
    this.#live.set(id, stream);
    const code = this.#earlyStops.get(id);
    if (this.#earlyStops.delete(id) && code !== undefined) stream.receiveStop(code);
    return stream;
  }

  /** The peer reads no more of a stream. */
  stop(id: number, code: number): void {
    const stream = this.#live.get(id);
    if (stream !== undefined) return stream.receiveStop(code);
    const index = id >>> 1;
    const isToCome = id % 2 !== this.#parity && index < this.#peerLimit && (index >= this.#peerSeen || this.#overtaken.has(index));
    if (isToCome) this.#earlyStops.set(id, code);
  }

  remove(stream: MemoryStream): void {
    this.#waiting.delete(stream);
    if (!this.#live.delete(stream.id) || stream.local) return;
    this.#peerClosed += 1;
  }

  /** The limit to tell the peer, if it grew since the last time. */
  creditDue(): number | null {
    const limit = this.#peerClosed + this.#limits.own.maxStreams;
    if (limit <= this.#peerLimit) return null;
    this.#peerLimit = limit;
    return limit;
  }

  #announce(stream: MemoryStream): void {
    const id = this.#announced * 2 + this.#parity;
    this.#announced += 1;
    this.#live.set(id, stream);
    stream.announce(id);
  }

  #isNew(index: number): boolean {
    if (index < this.#peerSeen) return this.#overtaken.delete(index);
    if (index >= this.#peerLimit) return false;
    for (let skipped = this.#peerSeen; skipped < index; skipped += 1) this.#overtaken.add(skipped);
    this.#peerSeen = index + 1;
    return true;
  }
}
