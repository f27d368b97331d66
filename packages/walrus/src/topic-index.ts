import type { SegmentTable } from "./segment-table.js";

/** Entries per chunk. A chunk is two 32-bit numbers per entry: its record's offset, and its payload's length. */
const CHUNK_ENTRIES = 4096;
const FIRST_CHUNK_ENTRIES = 16;

/**
 * Where the entries of one topic are. Eight bytes per entry: since segments only ever follow one another, the segment is kept once for
 * each run of entries, not for each entry.
 */
export class TopicIndex {
  readonly id: number;
  readonly name: string;
  readonly #segments: SegmentTable;
  #first: number;
  #next: number;
  /** The index of the entry in the first slot of the first chunk. */
  #base: number;
  readonly #chunks: Uint32Array[] = [];
  /** For each run, its segment and its first index. A run ends where the next begins. */
  readonly #runSegments: number[] = [];
  readonly #runFirsts: number[] = [];

  constructor(id: number, name: string, first: number, next: number, segments: SegmentTable) {
    this.id = id;
    this.name = name;
    this.#segments = segments;
    this.#first = first;
    this.#next = next;
    this.#base = next;
  }

  /** The lowest index that is left. */
  get first(): number {
    return this.#first;
  }

  /** The index of the next append. */
  get next(): number {
    return this.#next;
  }

  /** The number of entries, from `first` on, that should be there and were not found. */
  get missing(): number {
    return Math.max(0, this.#base - this.#first);
  }

  append(segment: number, offset: number, length: number): void {
    if (this.#runSegments.at(-1) !== segment) {
      this.#runSegments.push(segment);
      this.#runFirsts.push(this.#next);
      this.#segments.retain(segment);
    }
    const slot = this.#next - this.#base;
    const chunk = this.#writableChunk(Math.floor(slot / CHUNK_ENTRIES), slot % CHUNK_ENTRIES);
    const at = (slot % CHUNK_ENTRIES) * 2;
    chunk[at] = offset;
    chunk[at + 1] = length;
    this.#next++;
  }

  /** The chunk with room at `slot`; a small topic's only chunk grows by doubling. */
  #writableChunk(number: number, slot: number): Uint32Array {
    const chunk = this.#chunks[number];
    if (chunk !== undefined && slot * 2 < chunk.length) return chunk;
    const entries = number > 0 ? CHUNK_ENTRIES : Math.min(CHUNK_ENTRIES, Math.max(FIRST_CHUNK_ENTRIES, slot * 2));
    const larger = new Uint32Array(entries * 2);
    if (chunk !== undefined) larger.set(chunk);
    this.#chunks[number] = larger;
    return larger;
  }

  /** Drops the entries at `index` and above. Needs `first <= index <= next`. */
  truncateBack(index: number): void {
    this.#next = index;
    if (index < this.#base) this.#base = index;
    this.#chunks.length = Math.ceil((index - this.#base) / CHUNK_ENTRIES);
    while (this.#runFirsts.length > 0 && (this.#runFirsts.at(-1) ?? 0) >= index) {
      this.#runFirsts.pop();
      this.#segments.release(this.#runSegments.pop() ?? 0);
    }
  }

  /** Drops the entries below `index`, which may be beyond `next`. Needs `index >= first`. */
  truncateFront(index: number): void {
    this.#first = index;
    if (index >= this.#next) {
      this.#clear(index);
      return;
    }
    const whole = Math.floor((index - this.#base) / CHUNK_ENTRIES);
    if (whole > 0) {
      this.#chunks.splice(0, whole);
      this.#base += whole * CHUNK_ENTRIES;
    }
    while ((this.#runFirsts[1] ?? this.#next) <= index) {
      this.#runFirsts.shift();
      this.#segments.release(this.#runSegments.shift() ?? 0);
    }
    if ((this.#runFirsts[0] ?? index) < index) this.#runFirsts[0] = index;
  }

  #clear(next: number): void {
    for (const segment of this.#runSegments) this.#segments.release(segment);
    this.#runSegments.length = 0;
    this.#runFirsts.length = 0;
    this.#chunks.length = 0;
    this.#next = next;
    this.#base = next;
  }

  /** Where the record of entry `index` begins in its segment. Needs `first <= index < next`. */
  offsetOf(index: number): number {
    const slot = index - this.#base;
    return this.#chunks[Math.floor(slot / CHUNK_ENTRIES)]?.[(slot % CHUNK_ENTRIES) * 2] ?? 0;
  }

  /** The length of the payload of entry `index`. Needs `first <= index < next`. */
  lengthOf(index: number): number {
    const slot = index - this.#base;
    return this.#chunks[Math.floor(slot / CHUNK_ENTRIES)]?.[(slot % CHUNK_ENTRIES) * 2 + 1] ?? 0;
  }

  /** The number of the run that entry `index` is in. Needs `first <= index < next`. */
  runOf(index: number): number {
    let low = 0;
    let high = this.#runFirsts.length - 1;
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#runFirsts[middle] ?? 0) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The segment of a run. */
  runSegment(run: number): number {
    return this.#runSegments[run] ?? 0;
  }

  /** The index after the last entry of a run. */
  runNext(run: number): number {
    return this.#runFirsts[run + 1] ?? this.#next;
  }
}
