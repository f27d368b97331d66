import { hashText } from "../random/seeding.js";

/** One line of a trace, ready to be written as NDJSON. */
export interface TraceRecord {
  /** Virtual milliseconds. */
  readonly time: number;
  /** The process it happened in, or `world`. */
  readonly node: string;
  readonly kind: string;
  readonly detail: number | string;
}

const WORD = 2 ** 32;

/**
 * A rolling 64-bit hash over everything that happens, and an optional sink that sees each record. Two runs with one hash did the same
 * things at the same times in the same order.
 */
export class Trace {
  #low = 0x6f63746f;
  #high = 0x70696921;
  readonly #sink: ((record: TraceRecord) => void) | null;
  readonly #kindHashes = new Map<string, number>();

  constructor(sink: ((record: TraceRecord) => void) | null) {
    this.#sink = sink;
  }

  /** The hash so far, as 16 hexadecimal digits. */
  hash(): string {
    return (this.#high >>> 0).toString(16).padStart(8, "0") + (this.#low >>> 0).toString(16).padStart(8, "0");
  }

  /** Adds a fact that is no event of the loop: a fault, a crash, a vote. @param timeUs - virtual microseconds. */
  note(timeUs: number, node: string, kind: string, detail: number | string): void {
    this.#feed(timeUs, this.#hashName(node), this.#hashName(kind), detail);
    this.#sink?.({ time: timeUs / 1000, node, kind, detail });
  }

  /** Adds an event whose names were hashed before. */
  event(timeUs: number, node: string, nodeHash: number, kind: string, kindHash: number, detail: number | string): void {
    this.#feed(timeUs, nodeHash, kindHash, detail);
    if (this.#sink !== null) this.#sink({ time: timeUs / 1000, node, kind, detail });
  }

  #feed(timeUs: number, nodeHash: number, kindHash: number, detail: number | string): void {
    this.#word(timeUs);
    this.#word(Math.floor(timeUs / WORD));
    this.#word(nodeHash);
    this.#word(kindHash);
    if (typeof detail === "number") {
      this.#word(detail);
      if (detail >= WORD) this.#word(Math.floor(detail / WORD));
    } else this.#word(hashText(detail));
  }

  #word(word: number): void {
    this.#low = Math.imul(this.#low ^ word, 0x9e3779b1);
    this.#low = (this.#low << 13) | (this.#low >>> 19);
    this.#high = Math.imul(this.#high ^ (word + this.#low), 0x85ebca6b);
    this.#high = (this.#high << 17) | (this.#high >>> 15);
  }

  /** Names come from a small set that the world's author chose: nodes and kinds. */
  #hashName(name: string): number {
    let hash = this.#kindHashes.get(name);
    if (hash === undefined) {
      hash = hashText(name);
      this.#kindHashes.set(name, hash);
    }
    return hash;
  }
}
