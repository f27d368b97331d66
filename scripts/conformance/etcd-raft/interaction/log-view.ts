import type { LastEntry } from "./parcel.js";
import type { Entry, Index, SnapshotMetadata, Term } from "./raft.js";

/**
 * A log as its trace tells of it, and the part of it that etcd calls unstable: what storage has not confirmed. Our core counts durable
 * indexes instead, so this exists for the texts that etcd prints.
 */
export class LogView {
  /** The entry before the first one. */
  #base: LastEntry;
  #entries: Entry[] = [];
  /** The first index that storage has not confirmed. */
  offset: Index;
  /** The first index that was not given to storage. */
  offsetInProgress: Index;
  /** A snapshot that storage has not confirmed. */
  snapshot: SnapshotMetadata | null = null;

  constructor(base: LastEntry, entries: readonly Entry[]) {
    this.#base = base;
    this.#entries = [...entries];
    this.offset = this.lastIndex + 1;
    this.offsetInProgress = this.offset;
  }

  get firstIndex(): Index {
    return this.#base.index + 1;
  }

  get lastIndex(): Index {
    return this.#base.index + this.#entries.length;
  }

  get last(): LastEntry {
    return this.#entries[this.#entries.length - 1] ?? this.#base;
  }

  /** How many entries storage has not confirmed. */
  get unstableCount(): number {
    return this.lastIndex - this.offset + 1;
  }

  /** Entries in `[from, to]`. */
  slice(from: Index, to: Index): Entry[] {
    const { index } = this.#base;
    if (from <= index || to > this.lastIndex) throw new Error(`entries ${from} to ${to} are not all in ${index + 1} to ${this.lastIndex}`);
    return this.#entries.slice(from - index - 1, to - index);
  }

  append(entries: readonly Entry[]): void {
    for (const entry of entries) {
      if (entry.index !== this.lastIndex + 1) throw new Error(`the trace appends ${entry.index} after ${this.lastIndex}`);
      this.#entries.push(entry);
    }
  }

  /** Removes `index` and everything after it. */
  truncate(index: Index): void {
    this.#entries.length = index - this.#base.index - 1;
    if (this.isReplacedBy(index)) {
      this.offset = index;
      this.offsetInProgress = index;
    } else {
      this.offsetInProgress = Math.min(this.offsetInProgress, index);
    }
  }

  /** Whether entries from `index` on leave nothing unstable of what was there. */
  isReplacedBy(index: Index): boolean {
    return index <= this.offset;
  }

  /** A snapshot takes the place of everything. */
  restore(snapshot: SnapshotMetadata): void {
    this.#base = snapshot;
    this.#entries = [];
    this.snapshot = snapshot;
    this.offset = snapshot.index + 1;
    this.offsetInProgress = this.offset;
  }

  compact(index: Index): void {
    const dropped = this.#entries.splice(0, index - this.#base.index);
    this.#base = dropped[dropped.length - 1] ?? this.#base;
  }

  /** Everything was given to storage. */
  handOver(): void {
    this.offsetInProgress = this.lastIndex + 1;
  }

  /** Storage confirms the entry, and all before it. @returns what is wrong with that, in etcd's words, or null. */
  confirm({ index, term }: LastEntry): string | null {
    if (this.snapshot?.index === index) return `entry at index ${index} matched unstable snapshot; ignoring`;
    if (index < this.offset || index > this.lastIndex) return `entry at index ${index} missing from unstable log; ignoring`;
    const known = this.#termAt(index);
    if (known !== term) {
      return `entry at (index,term)=(${index},${term}) mismatched with entry at (${index},${known}) in unstable log; ignoring`;
    }
    this.offset = index + 1;
    this.offsetInProgress = Math.max(this.offsetInProgress, this.offset);
    return null;
  }

  /** Storage confirms the snapshot. */
  confirmSnapshot(index: Index): void {
    if (this.snapshot?.index === index) this.snapshot = null;
  }

  #termAt(index: Index): Term {
    return this.#entries[index - this.#base.index - 1]?.term ?? 0;
  }
}
