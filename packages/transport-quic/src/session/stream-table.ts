import type { ControlMessage } from "../wire/control.js";
import type { QuicStream } from "./quic-stream.js";

/** Streams that we open, of one kind. */
interface Outgoing {
  /** The sequence number of the next one (RFC 9000 section 2.1). */
  next: number;
  /** How many the peer allows in total. */
  credit: number;
  /** Those beyond the credit, oldest first. */
  readonly waiting: Set<QuicStream>;
}

/** Streams that the peer opens, of one kind. */
interface Incoming {
  /** One above the highest sequence number seen. */
  next: number;
  /** Sequence numbers below `next` whose first bytes are still on their way. */
  readonly missing: Set<number>;
  /** How many we allow in total, and how many of those the peer knows of. */
  granted: number;
  announced: number;
}

/** The codes of a stop, a reset, or both. */
interface EarlyCut {
  readonly stop?: number;
  readonly reset?: number;
}

const none: readonly number[] = [];

/** The streams of one connection: their ids, and the credit of both sides. */
export class StreamTable {
  /** The id of our control stream, and of the peer's. */
  readonly controlOut: number;
  readonly controlIn: number;
  readonly #streams = new Map<number, QuicStream>();
  readonly #outgoing: readonly [Outgoing, Outgoing];
  readonly #incoming: readonly [Incoming, Incoming];
  /** What overtook the stream that it is about. */
  readonly #early = new Map<number, EarlyCut>();
  readonly #ownBit: number;
  readonly #maxIncoming: number;

  constructor(accepted: boolean, maxIncoming: number) {
    this.#ownBit = accepted ? 1 : 0;
    this.#maxIncoming = maxIncoming;
    this.controlOut = 2 + this.#ownBit;
    this.controlIn = 3 - this.#ownBit;
    // The control streams are the first of the unidirectional ones, so those of applications start at 1.
    this.#outgoing = [0, 1].map((next) => ({ next, credit: 0, waiting: new Set<QuicStream>() })) as [Outgoing, Outgoing];
    this.#incoming = [0, 1].map((next) => ({ next, missing: new Set<number>(), granted: maxIncoming, announced: 0 })) as [
      Incoming,
      Incoming,
    ];
  }

  /** Streams that have an id and are not done. */
  get size(): number {
    return this.#streams.size;
  }

  get waiting(): number {
    return this.#outgoing[0].waiting.size + this.#outgoing[1].waiting.size;
  }

  get(id: number): QuicStream | undefined {
    return this.#streams.get(id);
  }

  values(): IterableIterator<QuicStream> {
    return this.#streams.values();
  }

  /** Every stream, with those that wait. */
  all(): QuicStream[] {
    return [...this.#streams.values(), ...this.#outgoing[0].waiting, ...this.#outgoing[1].waiting];
  }

  /** Puts a new stream of ours in line for an id. */
  enqueue(stream: QuicStream, unidirectional: boolean): void {
    this.#outgoing[unidirectional ? 1 : 0].waiting.add(stream);
  }

  /** How many streams of a kind wait beyond the peer's credit. */
  waitingBeyondCredit(unidirectional: boolean): number {
    const kind = unidirectional ? 1 : 0;
    const { next, credit, waiting } = this.#outgoing[kind];
    return waiting.size - (credit + kind - next);
  }

  /** Takes a stream out of the line; false if it is not in it. */
  dequeue(stream: QuicStream): boolean {
    return this.#outgoing[0].waiting.delete(stream) || this.#outgoing[1].waiting.delete(stream);
  }

  /** Gives ids to waiting streams, as far as the credit goes. */
  openWaiting(onOpen: (stream: QuicStream) => void): void {
    for (const [kind, outgoing] of this.#outgoing.entries()) {
      if (outgoing.waiting.size === 0) continue;
      for (const stream of outgoing.waiting) {
        if (outgoing.next >= outgoing.credit + kind) break;
        outgoing.waiting.delete(stream);
        stream.id = outgoing.next * 4 + kind * 2 + this.#ownBit;
        outgoing.next += 1;
        this.#streams.set(stream.id, stream);
        onOpen(stream);
      }
    }
  }

  /** Takes the peer's credit; it never goes down. */
  addCredit(bidirectional: number, unidirectional: number): void {
    this.#outgoing[0].credit = Math.max(this.#outgoing[0].credit, bidirectional);
    this.#outgoing[1].credit = Math.max(this.#outgoing[1].credit, unidirectional);
  }

  /** The id under which the peer's next stream of a kind would come. */
  nextIncoming(unidirectional: boolean): number {
    const kind = unidirectional ? 1 : 0;
    return this.#incomingId(kind, this.#incoming[kind].next);
  }

  /** The ids that later streams of the peer have overtaken. */
  overtakenIncoming(): readonly number[] {
    const [bidirectional, unidirectional] = this.#incoming;
    if (bidirectional.missing.size + unidirectional.missing.size === 0) return none;
    return [
      ...Array.from(bidirectional.missing, (sequence) => this.#incomingId(0, sequence)),
      ...Array.from(unidirectional.missing, (sequence) => this.#incomingId(1, sequence)),
    ];
  }

  /** Whether `id` is one that the peer opens, and has not opened before. */
  isNew(id: number): boolean {
    if ((id & 1) === this.#ownBit || id === this.controlIn) return false;
    const { next, missing } = this.#incoming[(id >>> 1) & 1 ? 1 : 0];
    const sequence = Math.floor(id / 4);
    return sequence >= next || missing.has(sequence);
  }

  /** Enters a stream that the peer opened; false if that goes beyond the credit that it was given. */
  admit(id: number, stream: QuicStream): boolean {
    const kind = (id >>> 1) & 1 ? 1 : 0;
    const incoming = this.#incoming[kind];
    const sequence = Math.floor(id / 4);
    if (sequence >= incoming.announced + kind) return false;
    for (let skipped = incoming.next; skipped < sequence; skipped += 1) incoming.missing.add(skipped);
    incoming.missing.delete(sequence);
    incoming.next = Math.max(incoming.next, sequence + 1);
    stream.id = id;
    this.#streams.set(id, stream);
    return true;
  }

  /** Forgets a stream that is over; one of the peer's makes room for another. */
  remove(stream: QuicStream): void {
    if (!this.#streams.delete(stream.id) || (stream.id & 1) === this.#ownBit) return;
    this.#incoming[(stream.id >>> 1) & 1 ? 1 : 0].granted += 1;
  }

  /** The credit to announce to the peer; null while it has more than half of what it may have. */
  nextCredit(): ControlMessage | null {
    const [bidirectional, unidirectional] = this.#incoming;
    if (!this.#isDue(bidirectional, 0) && !this.#isDue(unidirectional, 1)) return null;
    for (const incoming of this.#incoming) incoming.announced = incoming.granted;
    return { type: "credit", bidirectional: bidirectional.granted, unidirectional: unidirectional.granted };
  }

  #isDue(incoming: Incoming, kind: number): boolean {
    return incoming.granted > incoming.announced && (incoming.announced + kind - incoming.next) * 2 <= this.#maxIncoming;
  }

  /** Remembers that the peer cut a stream of its own short whose first bytes are not here yet. Others are of no interest any more. */
  cutEarly(id: number, cut: EarlyCut): void {
    const kind = (id >>> 1) & 1 ? 1 : 0;
    if (!this.isNew(id) || Math.floor(id / 4) >= this.#incoming[kind].announced + kind) return;
    this.#early.set(id, { ...this.#early.get(id), ...cut });
  }

  /** What {@link cutEarly} remembers of a stream, once. */
  takeEarlyCut(id: number): EarlyCut | undefined {
    const cut = this.#early.get(id);
    if (cut !== undefined) this.#early.delete(id);
    return cut;
  }

  #incomingId(kind: number, sequence: number): number {
    return sequence * 4 + kind * 2 + (1 - this.#ownBit);
  }
}
