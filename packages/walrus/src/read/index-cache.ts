import { corrupt } from "../errors.js";
import { viewOf } from "../format/bytes.js";
import { RECORD_HEADER_BYTES, RecordType } from "../format/format.js";
import type { Hasher } from "../format/hasher.js";
import { recordIndex, recordLength, recordType, verifyRecord } from "../format/record-codec.js";
import { decodePlaces } from "../format/segment-footer.js";
import { readExactly } from "../recovery/read-exactly.js";
import type { EntryTable } from "../state/entry-table.js";
import type { SegmentFiles } from "./segment-files.js";

const BYTES_PER_ENTRY = 8;

/** Where the entries of sealed segments are: read from the segments when somebody asks, and kept as far as there is room. */
export class IndexCache {
  readonly #files: SegmentFiles;
  readonly #hasher: Hasher;
  readonly #seed: (segment: number) => bigint;
  readonly #capacity: number;
  /** Least recently used first. */
  readonly #held = new Set<EntryTable>();
  readonly #loading = new Map<EntryTable, Promise<Uint32Array>>();
  #bytes = 0;

  /** @param capacity - in bytes. */
  constructor(files: SegmentFiles, hasher: Hasher, seed: (segment: number) => bigint, capacity: number) {
    this.#files = files;
    this.#hasher = hasher;
    this.#seed = seed;
    this.#capacity = capacity;
  }

  /** The bytes that the tables of sealed segments take now. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes tables that are in memory and, from now on, in a sealed segment too. */
  hold(tables: readonly EntryTable[]): void {
    for (const table of tables) {
      this.#held.add(table);
      this.#bytes += table.count * BYTES_PER_ENTRY;
    }
    this.#shrink();
  }

  /** The places of a table's entries; a promise only if they have to be read. The caller holds the segment. */
  places(table: EntryTable): Uint32Array | Promise<Uint32Array> {
    const { places } = table;
    if (places === null) return this.#load(table);
    if (table.recordAt > 0 && this.#held.delete(table)) this.#held.add(table);
    return places;
  }

  #load(table: EntryTable): Promise<Uint32Array> {
    const known = this.#loading.get(table);
    if (known !== undefined) return known;
    const loading = this.#read(table).finally(() => this.#loading.delete(table));
    this.#loading.set(table, loading);
    return loading;
  }

  async #read(table: EntryTable): Promise<Uint32Array> {
    const { segment, recordAt, first, count } = table;
    const path = this.#files.path(segment);
    const bytes = new Uint8Array(RECORD_HEADER_BYTES + count * BYTES_PER_ENTRY);
    try {
      await readExactly(await this.#files.acquire(segment), bytes, recordAt, path);
    } finally {
      this.#files.release(segment);
    }
    const view = viewOf(bytes);
    const isOurs =
      recordLength(view, 0) === count * BYTES_PER_ENTRY &&
      verifyRecord(bytes, view, 0, recordAt, this.#seed(segment), this.#hasher) &&
      recordType(view, 0) === RecordType.run &&
      recordIndex(view, 0) === first;
    if (!isOurs) throw corrupt(path, recordAt, `the index of entries ${first} to ${first + count - 1} of a topic is damaged`, INDEX_REMEDY);
    const places = decodePlaces(bytes.subarray(RECORD_HEADER_BYTES));
    table.places = places;
    this.hold([table]);
    return places;
  }

  #shrink(): void {
    for (const table of this.#held) {
      if (this.#bytes <= this.#capacity) return;
      this.#held.delete(table);
      this.#bytes -= table.count * BYTES_PER_ENTRY;
      table.places = null;
    }
  }
}

const INDEX_REMEDY = "Nothing was changed; close the log and repair it, which makes the index anew.";
