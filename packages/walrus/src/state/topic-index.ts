import { RECORD_HEADER_BYTES, RecordType } from "../format/format.js";
import type { FrameRecords } from "../write/frame-records.js";
import { EntryTable, type Run } from "./entry-table.js";
import type { SegmentTable } from "./segment-table.js";

/** A consumer's place in a topic, as the running program has it. */
export interface LiveCursor {
  position: number;
}

/** Where the entries of one topic are: runs, in the order of their indexes, each within one segment. And who reads how far. */
export class TopicIndex {
  readonly id: number;
  readonly name: string;
  /** The cursors on stable storage, by name: the index that each gives next. */
  readonly cursors: Map<string, number> = new Map();
  /** Those that are open. */
  readonly liveCursors: Set<LiveCursor> = new Set();
  readonly #segments: SegmentTable;
  readonly #runs: Run[] = [];
  #first: number;
  #next: number;
  #cuts = 0;

  constructor(id: number, name: string, first: number, next: number, segments: SegmentTable) {
    this.id = id;
    this.name = name;
    this.#segments = segments;
    this.#first = first;
    this.#next = next;
  }

  /** The lowest index that is left. */
  get first(): number {
    return this.#first;
  }

  /** The index of the next append. */
  get next(): number {
    return this.#next;
  }

  /** How often its end was cut since the log was opened. */
  get cuts(): number {
    return this.#cuts;
  }

  /** Oldest first. */
  get runs(): readonly Readonly<Run>[] {
    return this.#runs;
  }

  /** The first index that should be there and is in no segment; null if all are. */
  get missing(): number | null {
    let due = this.#first;
    for (const run of this.#runs) {
      if (run.first !== due) return due;
      due = run.next;
    }
    return due === this.#next ? null : due;
  }

  /** Appends the records from `at` on, as far as they are this topic's next entries. Gives how many that are. */
  appendAll(records: FrameRecords, at: number, segment: number): number {
    const { types, topics, indexes, offsets, lengths } = records;
    const { id } = this;
    // The last index of all is the greatest safe integer.
    const limit = Math.min(records.count, at + Number.MAX_SAFE_INTEGER - this.#next + 1);
    let end = at;
    while (end < limit && types[end] === RecordType.append && topics[end] === id && indexes[end] === this.#next + end - at) end++;
    for (let record = at; record < end; ) {
      const run = this.#growing(segment);
      let bytes = 0;
      const start = record;
      for (; record < end && !run.table.isFull; record++) {
        const length = lengths[record] ?? 0;
        run.table.push(offsets[record] ?? 0, length);
        bytes += RECORD_HEADER_BYTES + length;
      }
      run.next += record - start;
      run.bytes += bytes;
      this.#next = run.next;
      this.#segments.countBytes(segment, bytes);
    }
    return end - at;
  }

  /** The run that takes the next entry: the last one, if it is in this segment and has room, or a new one. */
  #growing(segment: number): Run {
    const last = this.#runs[this.#runs.length - 1];
    if (last !== undefined && last.table.segment === segment && last.next === this.#next && last.table.recordAt === 0) {
      // What was cut from the end of the run is gone for good.
      last.table.count = last.next - last.table.first;
      if (!last.table.isFull) return last;
    }
    return this.#insert(this.#runs.length, new EntryTable(segment, this.#next));
  }

  #push(run: Run, offset: number, length: number): void {
    const bytes = RECORD_HEADER_BYTES + length;
    run.table.push(offset, length);
    run.next++;
    run.bytes += bytes;
    this.#segments.countBytes(run.table.segment, bytes);
  }

  #insert(at: number, table: EntryTable): Run {
    const run: Run = { table, first: table.first, next: table.first, bytes: 0 };
    this.#runs.splice(at, 0, run);
    this.#segments.countRuns(table.segment, 1);
    return run;
  }

  /** Entry `index`, which exists, is in another place from now on. */
  move(index: number, segment: number, offset: number, length: number): void {
    const at = this.#remove(index, index + 1);
    const before = this.#runs[at - 1];
    const grows =
      before?.table.segment === segment &&
      before.table.recordAt === 0 &&
      before.next === index &&
      before.table.next === index &&
      !before.table.isFull;
    this.#push(grows ? before : this.#insert(at, new EntryTable(segment, index)), offset, length);
  }

  /** Takes a run over from a sealed segment, as far as the topic still has these entries. Segments must come in order: later ones prevail. */
  cover(table: EntryTable, bytes: number): void {
    const first = Math.max(table.first, this.#first);
    const next = Math.min(table.next, this.#next);
    if (first >= next) return;
    const run = this.#insert(this.#remove(first, next), table);
    run.first = first;
    run.next = next;
    run.bytes = Math.round((bytes * (next - first)) / table.count);
    this.#segments.countBytes(table.segment, run.bytes);
  }

  /** Drops the entries at `index` and above. Needs `first <= index <= next`. */
  truncateBack(index: number): void {
    this.#remove(index, this.#next);
    this.#next = index;
    this.#cuts++;
    this.#clampCursors();
  }

  /** Drops the entries below `index`, which may be beyond `next`. Needs `index >= first`. */
  truncateFront(index: number): void {
    this.#remove(this.#first, Math.min(index, this.#next));
    this.#first = index;
    this.#next = Math.max(this.#next, index);
    this.#clampCursors();
  }

  /** Where a cursor that was at `position` stands: never outside of the topic. */
  clamp(position: number): number {
    return Math.min(Math.max(position, this.#first), this.#next);
  }

  #clampCursors(): void {
    for (const [name, position] of this.cursors) this.cursors.set(name, this.clamp(position));
    for (const cursor of this.liveCursors) cursor.position = this.clamp(cursor.position);
  }

  /** Takes `[from, to)` out of the runs; gives the place at which a run of these entries belongs. */
  #remove(from: number, to: number): number {
    let at = this.#runFrom(from);
    for (let run = this.#runs[at]; run !== undefined && run.first < to && from < to; run = this.#runs[at]) {
      const before = run.first < from;
      const after = run.next > to;
      if (before && after) this.#split(at, from);
      else if (before) this.#cut(run, run.first, from);
      else if (after) this.#cut(run, to, run.next);
      else {
        this.#cut(run, run.first, run.first);
        this.#runs.splice(at, 1);
        this.#segments.countRuns(run.table.segment, -1);
        continue;
      }
      if (after && !before) break;
      at++;
    }
    return at;
  }

  /** Makes two of a run. */
  #split(at: number, middle: number): void {
    const run = this.#runs[at];
    if (run === undefined) return;
    const bytes = Math.round((run.bytes * (run.next - middle)) / (run.next - run.first));
    this.#runs.splice(at + 1, 0, { table: run.table, first: middle, next: run.next, bytes });
    this.#segments.countRuns(run.table.segment, 1);
    run.next = middle;
    run.bytes -= bytes;
  }

  /** Leaves `[first, next)` of a run. */
  #cut(run: Run, first: number, next: number): void {
    const bytes = first === next ? 0 : Math.round((run.bytes * (next - first)) / (run.next - run.first));
    this.#segments.countBytes(run.table.segment, bytes - run.bytes);
    run.first = first;
    run.next = next;
    run.bytes = bytes;
  }

  /** The place of the first run that ends beyond `index`. */
  #runFrom(index: number): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.next ?? 0) > index) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  /** The runs from entry `index` on. */
  *runsFrom(index: number): IterableIterator<Readonly<Run>> {
    for (let at = this.#runFrom(index); at < this.#runs.length; at++) {
      const run = this.#runs[at];
      if (run !== undefined) yield run;
    }
  }

  /** The runs from entry `index` backwards. */
  *runsBack(index: number): IterableIterator<Readonly<Run>> {
    for (let at = Math.min(this.#runFrom(index), this.#runs.length - 1); at >= 0; at--) {
      const run = this.#runs[at];
      if (run !== undefined) yield run;
    }
  }

  /** The first live run in one segment. */
  firstRunIn(segment: number): Readonly<Run> | undefined {
    return this.#runs.find((run) => run.table.segment === segment);
  }

  /** The live runs in one segment. */
  runsIn(segment: number): Readonly<Run>[] {
    return this.#runs.filter((run) => run.table.segment === segment);
  }

  /** A segment was sealed: its runs are on stable storage as `tables` says, in the order of {@link runsIn}. */
  sealed(segment: number, tables: readonly EntryTable[]): void {
    let number = 0;
    for (const [at, run] of this.#runs.entries()) {
      if (run.table.segment !== segment) continue;
      const table = tables[number++];
      if (table !== undefined) this.#runs[at] = { ...run, table };
    }
  }
}
