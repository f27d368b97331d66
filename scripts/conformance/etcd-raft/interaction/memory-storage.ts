import type { AppendRequest, LastEntry } from "./parcel.js";
import type { Entry, HardState, Index, TermRun } from "./raft.js";

/** A node's disk: what it holds survives a crash. */
export class MemoryStorage {
  hardState: HardState;
  /** The entry before the first one. */
  base: LastEntry;
  #entries: Entry[] = [];

  constructor(base: LastEntry, hardState: HardState) {
    this.base = base;
    this.hardState = hardState;
  }

  get firstIndex(): Index {
    return this.base.index + 1;
  }

  get lastIndex(): Index {
    return this.base.index + this.#entries.length;
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  /** The terms of `[base, last]`. */
  get terms(): TermRun[] {
    const runs: TermRun[] = [{ firstIndex: this.base.index, term: this.base.term }];
    for (const { index, term } of this.#entries) if (term !== runs[runs.length - 1]?.term) runs.push({ firstIndex: index, term });
    return runs;
  }

  /** Entries in `[from, to]`, or none if they are not all here. */
  read(from: Index, to: Index): Entry[] {
    return from < this.firstIndex || to > this.lastIndex ? [] : this.#entries.slice(from - this.firstIndex, to - this.firstIndex + 1);
  }

  write({ hardState, snapshot, entries }: AppendRequest): void {
    if (hardState !== null) this.hardState = hardState;
    if (snapshot !== null) {
      this.base = snapshot;
      this.#entries = [];
    }
    const [first] = entries;
    if (first === undefined) return;
    if (first.index < this.firstIndex || first.index > this.lastIndex + 1) {
      throw new Error(`a write of ${first.index} does not fit a log of ${this.firstIndex} to ${this.lastIndex}`);
    }
    this.#entries.splice(first.index - this.firstIndex, Number.POSITIVE_INFINITY, ...entries);
  }

  /** Forgets the entries up to `index`. */
  compact(index: Index): void {
    if (index < this.firstIndex) throw new Error("requested index is unavailable due to compaction");
    if (index > this.lastIndex) throw new Error(`compaction to ${index} goes beyond the last entry ${this.lastIndex}`);
    const dropped = this.#entries.splice(0, index - this.base.index);
    this.base = dropped[dropped.length - 1] ?? this.base;
  }
}

/** Two writes in one: a later one that begins at or before an earlier index replaces everything from there. */
export function mergeWrites(before: AppendRequest, { hardState, snapshot, entries }: AppendRequest): AppendRequest {
  const [first] = entries;
  const earlier = snapshot !== null ? [] : before.entries;
  const kept = first === undefined ? earlier : earlier.filter(({ index }) => index < first.index);
  return { hardState: hardState ?? before.hardState, snapshot: snapshot ?? before.snapshot, entries: [...kept, ...entries] };
}
