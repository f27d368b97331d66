import { invariant } from "../assert.js";
import { type Entry, entryMemoryBytes, type Index, type Term, type TermRun } from "../types.js";
import { EntryCache } from "./entry-cache.js";
import { TermRuns } from "./term-runs.js";

/** What a restart knows of the log before anything new happens. */
export interface LogStart {
  /** The index before the first entry: 0, or the last compacted one. */
  readonly compactedIndex: Index;
  readonly lastIndex: Index;
  /** Terms of `[compactedIndex, lastIndex]`, oldest first. */
  readonly terms: readonly TermRun[];
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
}

/**
 * One replica's log: which entries exist, how far they are written, durable, committed and applied.
 *
 *     compacted ≤ applied ≤ applying ≤ min(committed, durable);   durable ≤ handedOver ≤ last
 *
 * It holds terms of all entries and the data of the newest; the rest is on disk, and the driver fetches it when asked to.
 */
export class RaftLog {
  readonly #terms: TermRuns;
  readonly #cache: EntryCache;
  readonly #cacheBytesMax: number;
  readonly compactedIndex: Index;
  /** Index of the last entry, on disk or not. */
  lastIndex: Index;
  /** Everything up to here was given to storage in some write. */
  handedOverIndex: Index;
  /** Everything up to here is on stable storage, as the log now reads. */
  durableIndex: Index;
  committedIndex: Index;
  /** Everything up to here was given to the state machine. */
  applyingIndex: Index;
  appliedIndex: Index;

  constructor(start: LogStart, cacheBytesMax: number) {
    invariant(start.appliedIndex <= start.commitIndex, `applied ${start.appliedIndex} is beyond committed ${start.commitIndex}`);
    invariant(start.commitIndex <= start.lastIndex, `committed ${start.commitIndex} is beyond the last entry ${start.lastIndex}`);
    this.#terms = new TermRuns(start.terms);
    this.#cache = new EntryCache(start.lastIndex + 1);
    this.#cacheBytesMax = cacheBytesMax;
    this.compactedIndex = start.compactedIndex;
    this.lastIndex = start.lastIndex;
    this.handedOverIndex = start.lastIndex;
    this.durableIndex = start.lastIndex;
    this.committedIndex = start.commitIndex;
    this.applyingIndex = start.appliedIndex;
    this.appliedIndex = start.appliedIndex;
  }

  get lastTerm(): Term {
    return this.#terms.termAt(this.lastIndex);
  }

  /** The term at `index`, or -1 where this log has none: beyond its end, or compacted away. */
  termAt(index: Index): Term {
    if (index < this.compactedIndex || index > this.lastIndex) return -1;
    return this.#terms.termAt(index);
  }

  matches(index: Index, term: Term): boolean {
    return this.termAt(index) === term;
  }

  /** Whether a log that ends so is at least as complete as this one. Source: Raft §5.4.1. */
  isUpToDate(lastIndex: Index, lastTerm: Term): boolean {
    return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.lastIndex);
  }

  /** The largest index at or below `index` where this log's term is not above `term`: the logs cannot match any later. */
  findConflict(index: Index, term: Term): Index {
    return this.#terms.lastIndexNotAbove(term, Math.min(index, this.lastIndex));
  }

  /** Adds an entry at the end. */
  append(entry: Entry): void {
    invariant(entry.index === this.lastIndex + 1, `entry ${entry.index} appended after ${this.lastIndex}`);
    this.#terms.extend(entry.index, entry.term);
    this.#cache.push(entry);
    this.lastIndex = entry.index;
  }

  /** Removes `index` and everything after it, in memory; storage follows with the next write that begins there. */
  truncate(index: Index): void {
    invariant(index > this.committedIndex, `entry ${index} removed though ${this.committedIndex} is committed`);
    this.#terms.truncate(index);
    this.#cache.truncate(index);
    this.lastIndex = index - 1;
    this.handedOverIndex = Math.min(this.handedOverIndex, index - 1);
    this.durableIndex = Math.min(this.durableIndex, index - 1);
  }

  /** Moves the commit index forward; never back. */
  commitTo(index: Index): boolean {
    if (index <= this.committedIndex) return false;
    invariant(index <= this.lastIndex, `commit of ${index} beyond the last entry ${this.lastIndex}`);
    this.committedIndex = index;
    return true;
  }

  /** Takes the entries that no write has carried yet. */
  takeUnwritten(): Entry[] {
    if (this.handedOverIndex === this.lastIndex) return [];
    const entries = this.#cache.slice(this.handedOverIndex + 1, this.lastIndex, Number.POSITIVE_INFINITY);
    this.handedOverIndex = this.lastIndex;
    return entries;
  }

  markDurable(index: Index): void {
    if (index > this.durableIndex) this.durableIndex = index;
  }

  /** How far the state machine may go: committed, and on our own disk, so that a restart never finds state ahead of its log. */
  get applicableIndex(): Index {
    return Math.min(this.committedIndex, this.durableIndex);
  }

  markApplied(index: Index): void {
    invariant(index <= this.applyingIndex, `applied ${index} before it was given out (${this.applyingIndex})`);
    invariant(index >= this.appliedIndex, `applied ${index} after ${this.appliedIndex}`);
    this.appliedIndex = index;
    this.#cache.shrink(this.#cacheBytesMax, Math.min(this.appliedIndex, this.durableIndex));
  }

  get firstCachedIndex(): Index {
    return this.#cache.firstIndex;
  }

  /** Whether the data of `index` is in memory. */
  isCached(index: Index): boolean {
    return index >= this.#cache.firstIndex && index <= this.lastIndex;
  }

  /** What the entries in `[from, to]` that are cached cost in memory. */
  bytesBetween(from: Index, to: Index): number {
    let bytes = 0;
    for (let index = Math.max(from, this.#cache.firstIndex); index <= to; index++) {
      bytes += this.#cache.at(index).data.length + entryMemoryBytes;
    }
    return bytes;
  }

  /** Cached entries in `[from, to]`; as many as fit in `maxBytes`, and at least one. */
  cached(from: Index, to: Index, maxBytes: number): Entry[] {
    return this.#cache.slice(from, to, maxBytes);
  }
}
