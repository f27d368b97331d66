import { MAX_RUN_ENTRIES } from "../format/format.js";

const START_ENTRIES = 16;

/**
 * Where the entries of one run are: two 32-bit numbers each, the offset of its record and the length of its payload. Of a sealed segment
 * it need not be in memory, since the segment has it too.
 */
export class EntryTable {
  readonly segment: number;
  /** The index of the first entry. */
  readonly first: number;
  count: number;
  /** Offset and length in turn; null while only the segment has them. */
  places: Uint32Array | null;
  /** The offset of the record that has them, once the segment is sealed; before that 0. */
  recordAt = 0;

  constructor(segment: number, first: number, count = 0, places: Uint32Array | null = new Uint32Array(START_ENTRIES * 2)) {
    this.segment = segment;
    this.first = first;
    this.count = count;
    this.places = places;
  }

  /** The index after the last entry. */
  get next(): number {
    return this.first + this.count;
  }

  get isFull(): boolean {
    return this.count >= MAX_RUN_ENTRIES;
  }

  push(offset: number, length: number): void {
    const at = this.count++ * 2;
    if (this.places === null || at >= this.places.length) this.#grow();
    const places = this.places;
    if (places === null) return;
    places[at] = offset;
    places[at + 1] = length;
  }

  #grow(): void {
    const larger = new Uint32Array(Math.min(MAX_RUN_ENTRIES * 2, Math.max(START_ENTRIES * 2, this.count * 4)));
    if (this.places !== null) larger.set(this.places);
    this.places = larger;
  }
}

/** A part of a table that is live: the entries `[first, next)` of a topic, all in one segment. */
export interface Run {
  readonly table: EntryTable;
  first: number;
  next: number;
  /** The bytes of their records; an estimate once the run was cut. */
  bytes: number;
}
