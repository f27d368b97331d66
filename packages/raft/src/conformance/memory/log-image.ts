import type { Entry, HardState, Index, SnapshotMetadata, Term, TermRun } from "../../types.js";

/** One group's log, as plain data. Refuses what no driver that is right would ask for. */
export class LogImage {
  hardState: HardState | null = null;
  compactedIndex: Index = 0;
  #compactedTerm: Term = 0;
  #entries: Entry[] = [];

  get lastIndex(): Index {
    return this.compactedIndex + this.#entries.length;
  }

  append(hardState: HardState | null, entries: readonly Entry[]): void {
    const first = entries[0];
    if (first !== undefined) {
      if (first.index <= this.compactedIndex || first.index > this.lastIndex + 1) {
        throw new RangeError(`Entry ${first.index} does not fit a log of (${this.compactedIndex}, ${this.lastIndex}].`);
      }
      this.#entries.length = first.index - this.compactedIndex - 1;
      for (const entry of entries) this.#entries.push(entry);
    }
    if (hardState !== null) this.hardState = hardState;
  }

  install(hardState: HardState | null, { index, term }: SnapshotMetadata): void {
    this.compactedIndex = index;
    this.#compactedTerm = term;
    this.#entries = [];
    if (hardState !== null) this.hardState = hardState;
  }

  /** Forgets entries up to `index`; does nothing if they are forgotten already. */
  compact(index: Index): void {
    if (index <= this.compactedIndex) return;
    const last = this.#entries[index - this.compactedIndex - 1];
    if (last === undefined) throw new RangeError(`The log ends at ${this.lastIndex}; it cannot be compacted to ${index}.`);
    this.#entries = this.#entries.slice(index - this.compactedIndex);
    this.compactedIndex = index;
    this.#compactedTerm = last.term;
  }

  read(from: Index, to: Index, maxBytes: number): Entry[] {
    const entries: Entry[] = [];
    let bytes = 0;
    if (from <= this.compactedIndex) return entries;
    for (const entry of this.#entries.slice(from - this.compactedIndex - 1, to - this.compactedIndex)) {
      bytes += entry.data.length;
      if (entries.length > 0 && bytes > maxBytes) break;
      entries.push(entry);
    }
    return entries;
  }

  get terms(): TermRun[] {
    const runs: TermRun[] = [{ firstIndex: this.compactedIndex, term: this.#compactedTerm }];
    for (const { index, term } of this.#entries) if (term !== runs[runs.length - 1]?.term) runs.push({ firstIndex: index, term });
    return runs;
  }
}
