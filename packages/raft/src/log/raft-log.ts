import { broken } from "../assert.js";
import { type Entry, entryMemoryBytes, entryWireBytes, type Index, type SnapshotMetadata, type Term, type TermRun } from "../types.js";
import { EntryCache } from "./entry-cache.js";
import { TermRuns } from "./term-runs.js";

const nothing: readonly Entry[] = [];

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
 * While a snapshot is being restored, `applied`, `applying` and `durable` still tell of the log that it replaces, and lie below `compacted`.
 *
 * It holds terms of all entries and the data of the newest; the rest is on disk, and the driver fetches it when asked to.
 */
export class RaftLog {
  #terms: TermRuns;
  readonly #cache: EntryCache;
  readonly #cacheBytesMax: number;
  /** The index before the first entry; its term is known all the same. */
  compactedIndex: Index;
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
  /** A snapshot took the place of the log and the state machine does not hold it yet: nothing is applied meanwhile. */
  restoringIndex: Index = 0;

  constructor(start: LogStart, cacheBytesMax: number) {
    if (start.appliedIndex > start.commitIndex) broken(`applied ${start.appliedIndex} is beyond committed ${start.commitIndex}`);
    if (start.commitIndex > start.lastIndex) broken(`committed ${start.commitIndex} is beyond the last entry ${start.lastIndex}`);
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
    if (entry.index !== this.lastIndex + 1) broken(`entry ${entry.index} appended after ${this.lastIndex}`);
    this.#terms.extend(entry.index, entry.term);
    this.#cache.push(entry);
    this.lastIndex = entry.index;
  }

  /** Removes `index` and everything after it, in memory; storage follows with the next write that begins there. */
  truncate(index: Index): void {
    if (index <= this.committedIndex) broken(`entry ${index} removed though ${this.committedIndex} is committed`);
    this.#terms.truncate(index);
    this.#cache.truncate(index);
    this.lastIndex = index - 1;
    this.handedOverIndex = Math.min(this.handedOverIndex, index - 1);
    this.durableIndex = Math.min(this.durableIndex, index - 1);
  }

  /** Moves the commit index forward; never back. */
  commitTo(index: Index): boolean {
    if (index <= this.committedIndex) return false;
    if (index > this.lastIndex) broken(`commit of ${index} beyond the last entry ${this.lastIndex}`);
    this.committedIndex = index;
    return true;
  }

  /** Takes the entries that no write has carried yet. */
  takeUnwritten(): readonly Entry[] {
    if (this.handedOverIndex === this.lastIndex) return nothing;
    const entries = this.#cache.slice(this.handedOverIndex + 1, this.lastIndex, Number.POSITIVE_INFINITY);
    this.handedOverIndex = this.lastIndex;
    return entries;
  }

  markDurable(index: Index): void {
    if (index > this.durableIndex) this.durableIndex = index;
  }

  /** Forgets all entries up to `index`, which keeps its term. */
  compact(index: Index): void {
    if (index > Math.min(this.appliedIndex, this.durableIndex)) broken(`entry ${index} compacted before it was applied and durable`);
    if (index <= this.compactedIndex) return;
    this.#terms.compact(index);
    this.#cache.dropThrough(index);
    this.compactedIndex = index;
  }

  /** The snapshot takes the place of everything: the log is empty after it. */
  restore({ index, term }: SnapshotMetadata): void {
    if (index <= this.committedIndex) broken(`snapshot ${index} is not beyond the commit index ${this.committedIndex}`);
    this.#terms = new TermRuns([{ firstIndex: index, term }]);
    this.#cache.reset(index + 1);
    this.durableIndex = Math.min(this.durableIndex, this.committedIndex);
    this.compactedIndex = index;
    this.lastIndex = index;
    this.handedOverIndex = index;
    this.committedIndex = index;
    this.restoringIndex = index;
  }

  /** The state machine holds the snapshot. */
  markRestored(index: Index): void {
    // A newer snapshot may have come meanwhile; its own report follows.
    if (index !== this.restoringIndex) return;
    this.restoringIndex = 0;
    this.applyingIndex = index;
    this.appliedIndex = index;
  }

  /** How far the state machine may go: committed, and on our own disk, so that a restart never finds state ahead of its log. */
  get applicableIndex(): Index {
    return Math.min(this.committedIndex, this.durableIndex);
  }

  markApplied(index: Index): void {
    // What was applied before a snapshot replaced it does not count any more.
    if (this.restoringIndex !== 0) return;
    if (index > this.applyingIndex) broken(`applied ${index} before it was given out (${this.applyingIndex})`);
    if (index < this.appliedIndex) broken(`applied ${index} after ${this.appliedIndex}`);
    this.appliedIndex = index;
    this.shrinkCache(Math.min(this.appliedIndex, this.durableIndex));
  }

  /** Lets go of the oldest data in memory, none above `upTo`, until the cache is as small as it should be. What is not durable must stay. */
  shrinkCache(upTo: Index): void {
    this.#cache.shrink(this.#cacheBytesMax, upTo);
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

  /** Whether the cached entries from `from` on fill a message of `bytes`. Stops counting there. */
  wireBytesReach(from: Index, bytes: number): boolean {
    let sum = 0;
    for (let index = Math.max(from, this.#cache.firstIndex); index <= this.lastIndex; index++) {
      sum += this.#cache.at(index).data.length + entryWireBytes;
      if (sum >= bytes) return true;
    }
    return from < this.#cache.firstIndex;
  }

  /** Cached entries in `[from, to]`; as many as fit in `maxBytes`, and at least one. */
  cached(from: Index, to: Index, maxBytes: number): Entry[] {
    return this.#cache.slice(from, to, maxBytes);
  }
}
