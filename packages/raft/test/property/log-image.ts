import type { Entry, SnapshotMetadata, TermRun } from "../../src/index.js";
import { promise } from "./violation.js";

/** A log as it lies somewhere: what came before `compactedIndex` is in a snapshot. */
export class LogImage {
  compactedIndex = 0;
  compactedTerm = 0;
  /** From `compactedIndex + 1` on. */
  entries: Entry[] = [];

  get lastIndex(): number {
    return this.compactedIndex + this.entries.length;
  }

  get lastTerm(): number {
    return this.entries[this.entries.length - 1]?.term ?? this.compactedTerm;
  }

  at(index: number): Entry | undefined {
    return this.entries[index - this.compactedIndex - 1];
  }

  /** -1 where it holds none. */
  termAt(index: number): number {
    return index === this.compactedIndex ? this.compactedTerm : (this.at(index)?.term ?? -1);
  }

  /** Whether it holds the entry, or a snapshot that covers it. */
  holds(index: number, term: number): boolean {
    return index < this.compactedIndex || this.termAt(index) === term;
  }

  /** Entries replace everything from the first one's index on. */
  write(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    promise(first.index > this.compactedIndex && first.index <= this.lastIndex + 1, () => {
      return `a write begins at ${first.index}, the log is (${this.compactedIndex}, ${this.lastIndex}]`;
    });
    this.entries.splice(first.index - this.compactedIndex - 1, Number.POSITIVE_INFINITY, ...entries);
  }

  install({ index, term }: SnapshotMetadata): void {
    this.compactedIndex = index;
    this.compactedTerm = term;
    this.entries = [];
  }

  compact(index: number): void {
    if (index <= this.compactedIndex) return;
    const term = this.termAt(index);
    this.entries.splice(0, index - this.compactedIndex);
    this.compactedIndex = index;
    this.compactedTerm = term;
  }

  slice(from: number, to: number): Entry[] {
    return from <= this.compactedIndex ? [] : this.entries.slice(from - this.compactedIndex - 1, to - this.compactedIndex);
  }

  clone(): LogImage {
    const copy = new LogImage();
    copy.compactedIndex = this.compactedIndex;
    copy.compactedTerm = this.compactedTerm;
    copy.entries = this.entries.slice();
    return copy;
  }

  terms(): TermRun[] {
    const runs: { firstIndex: number; term: number }[] = [{ firstIndex: this.compactedIndex, term: this.compactedTerm }];
    for (const { index, term } of this.entries) if (term !== runs[runs.length - 1]?.term) runs.push({ firstIndex: index, term });
    return runs;
  }
}
