import type { TcpStream } from "./tcp-stream.js";

/** Streams that we open, of one kind. */
interface Outgoing {
  /** The sequence number of the next one. */
  next: number;
  /** How many the peer allows in total. */
  credit: number;
  /** Those beyond the credit, oldest first. */
  readonly waiting: Set<TcpStream>;
}

/** Streams that the peer opens, of one kind. */
interface Incoming {
  next: number;
  /** How many we allow in total, and how many of those the peer knows of. */
  granted: number;
  announced: number;
}

/** The streams of one connection: their ids, and the credit of both sides for opening more. */
export class StreamTable {
  readonly #streams = new Map<number, TcpStream>();
  readonly #outgoing: readonly [Outgoing, Outgoing];
  readonly #incoming: readonly [Incoming, Incoming];
  readonly #ownBit: number;
  readonly #maxIncoming: number;

  constructor(accepted: boolean, maxIncoming: number) {
    this.#ownBit = accepted ? 1 : 0;
    this.#maxIncoming = maxIncoming;
    const outgoing = (): Outgoing => ({ next: 0, credit: 0, waiting: new Set<TcpStream>() });
    const incoming = (): Incoming => ({ next: 0, granted: maxIncoming, announced: maxIncoming });
    this.#outgoing = [outgoing(), outgoing()];
    this.#incoming = [incoming(), incoming()];
  }

  get(id: number): TcpStream | undefined {
    return this.#streams.get(id);
  }

  /** Every stream, with those that wait. */
  all(): TcpStream[] {
    return [...this.#streams.values(), ...this.#outgoing[0].waiting, ...this.#outgoing[1].waiting];
  }

  /** Puts a new stream of ours in line for an id. */
  enqueue(stream: TcpStream, unidirectional: boolean): void {
    this.#outgoing[unidirectional ? 1 : 0].waiting.add(stream);
  }

  /** How many streams of a kind wait beyond the peer's credit. */
  waitingBeyondCredit(unidirectional: boolean): number {
    const { next, credit, waiting } = this.#outgoing[unidirectional ? 1 : 0];
    return waiting.size - (credit - next);
  }

  /** Takes a stream out of the line; false if it is not in it. */
  dequeue(stream: TcpStream): boolean {
    return this.#outgoing[0].waiting.delete(stream) || this.#outgoing[1].waiting.delete(stream);
  }

  /** Gives ids to waiting streams, as far as the credit goes. */
  openWaiting(onOpen: (stream: TcpStream) => void): void {
    for (let kind = 0; kind < 2; kind += 1) {
      const outgoing = this.#outgoing[kind as 0 | 1];
      if (outgoing.waiting.size === 0) continue;
      for (const stream of outgoing.waiting) {
        if (outgoing.next >= outgoing.credit) break;
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

  /** Whether the peer may open a stream with this id now: the next of its kind, within its credit. */
  mayOpen(id: number): boolean {
    if (id % 2 === this.#ownBit) return false;
    const { next, announced } = this.#incoming[kindOf(id)];
    return sequenceOf(id) === next && next < announced;
  }

  /** Whether a stream with this id was ever opened, by either side. */
  wasOpened(id: number): boolean {
    const side = id % 2 === this.#ownBit ? this.#outgoing : this.#incoming;
    return sequenceOf(id) < side[kindOf(id)].next;
  }

  /** Enters a stream that the peer opened. */
  admit(id: number, stream: TcpStream): void {
    this.#incoming[kindOf(id)].next += 1;
    stream.id = id;
    this.#streams.set(id, stream);
  }

  /** Forgets a stream that is over; one of the peer's makes room for another. */
  remove(stream: TcpStream): void {
    if (!this.#streams.delete(stream.id) || stream.id % 2 === this.#ownBit) return;
    this.#incoming[kindOf(stream.id)].granted += 1;
  }

  /** The credit to announce to the peer, for each kind; null while it has more than half of what it may have. */
  nextCredit(): readonly [number, number] | null {
    const [bidirectional, unidirectional] = this.#incoming;
    if (!this.#isDue(bidirectional) && !this.#isDue(unidirectional)) return null;
    for (const incoming of this.#incoming) incoming.announced = incoming.granted;
    return [bidirectional.granted, unidirectional.granted];
  }

  #isDue({ granted, announced, next }: Incoming): boolean {
    return granted > announced && (announced - next) * 2 <= this.#maxIncoming;
  }
}

const kindOf = (id: number): 0 | 1 => (id % 4 >= 2 ? 1 : 0);
const sequenceOf = (id: number): number => Math.floor(id / 4);
