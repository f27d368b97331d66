import type { Index, Term } from "@octopii/raft";

/** The place before a log's first entry. */
export interface LogBase {
  readonly index: Index;
  readonly term: Term;
  /** Chain hash of everything up to here. */
  readonly hash: number;
}

/** One replica's log as its own events tell it: terms and chain hashes, no data. */
export class ObservedLog {
  #base: Index;
  /** From the base on. */
  readonly #terms: Term[];
  readonly #hashes: number[];

  constructor(base: LogBase) {
    this.#base = base.index;
    this.#terms = [base.term];
    this.#hashes = [base.hash];
  }

  /** The index before the first entry that is known. Whatever is at or below it was committed. */
  get base(): Index {
    return this.#base;
  }

  get lastIndex(): Index {
    return this.#base + this.#terms.length - 1;
  }

  get lastTerm(): Term {
    return this.#terms[this.#terms.length - 1] as Term;
  }

  termAt(index: Index): Term | undefined {
    return this.#terms[index - this.#base];
  }

  hashAt(index: Index): number | undefined {
    return this.#hashes[index - this.#base];
  }

  /** Whether it holds the entry of this chain hash. What it has compacted, or was sent a snapshot of, counts as held. */
  holds(index: Index, hash: number): boolean {
    return index < this.#base || this.hashAt(index) === hash;
  }

  append(term: Term, hash: number): void {
    this.#terms.push(term);
    this.#hashes.push(hash);
  }

  /** Removes `index` and everything after it. */
  truncate(index: Index): void {
    this.#terms.length = index - this.#base;
    this.#hashes.length = index - this.#base;
  }

  /** A snapshot takes the place of everything. */
  replaceBy(base: LogBase): void {
    this.#base = base.index;
    this.#terms.length = 0;
    this.#hashes.length = 0;
    this.append(base.term, base.hash);
  }
}
