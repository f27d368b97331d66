import { type Entry, entryMemoryBytes, entryWireBytes, type Index } from "../types.js";

/** Dropped entries leave holes at the front of the array; it is compacted when they are most of it. */
const compactAt = 1024;

/** The newest entries of the log, contiguous up to the last one. Older ones are read from storage when somebody needs them. */
export class EntryCache {
  #entries: (Entry | undefined)[] = [];
  #head = 0;
  #firstIndex: Index;
  #bytes = 0;

  /** @param firstIndex - the index of the next entry pushed. */
  constructor(firstIndex: Index) {
    this.#firstIndex = firstIndex;
  }

  /** The index of the oldest cached entry, or of the next one pushed when there is none. */
  get firstIndex(): Index {
    return this.#firstIndex;
  }

  /** What the cached entries cost in memory. */
  get bytes(): number {
    return this.#bytes;
  }

  push(entry: Entry): void {
    this.#entries.push(entry);
    this.#bytes += costOf(entry);
  }

  /** The entry at `index`, which must be cached. */
  at(index: Index): Entry {
    return this.#entries[this.#head + index - this.#firstIndex] as Entry;
  }

  /** Entries in `[from, to]`, all cached, oldest first; as many as fit in `maxBytes`, and at least one. */
  slice(from: Index, to: Index, maxBytes: number): Entry[] {
    let bytes = 0;
    let end = from;
    for (; end <= to; end++) {
      bytes += this.at(end).data.length + entryWireBytes;
      if (bytes > maxBytes && end > from) break;
    }
    const start = this.#head + from - this.#firstIndex;
    return this.#entries.slice(start, start + end - from) as Entry[];
  }

  /** Forgets `index` and everything after it. */
  truncate(index: Index): void {
    if (index <= this.#firstIndex) {
      this.reset(index);
      return;
    }
    const length = this.#head + index - this.#firstIndex;
    for (let i = length; i < this.#entries.length; i++) this.#bytes -= costOf(this.#entries[i] as Entry);
    this.#entries.length = length;
  }

  /** Drops the oldest entries, none above `upTo`, until the cache holds at most `maxBytes`. */
  shrink(maxBytes: number, upTo: Index): void {
    while (this.#bytes > maxBytes && this.#firstIndex <= upTo && this.#head < this.#entries.length) this.#dropFirst();
    this.#compact();
  }

  /** Drops the entries up to `index`. */
  dropThrough(index: Index): void {
    while (this.#firstIndex <= index && this.#head < this.#entries.length) this.#dropFirst();
    this.#compact();
  }

  #dropFirst(): void {
    this.#bytes -= costOf(this.#entries[this.#head] as Entry);
    this.#entries[this.#head++] = undefined;
    this.#firstIndex++;
  }

  #compact(): void {
    if (this.#head > compactAt && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Forgets everything; the next entry pushed has `nextIndex`. */
  reset(nextIndex: Index): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    this.#firstIndex = nextIndex;
  }
}

const costOf = (entry: Entry): number => entry.data.length + entryMemoryBytes;
