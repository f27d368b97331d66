import { asWalrusError, corrupt, WalrusError } from "../errors.js";
import { viewOf } from "../format/bytes.js";
import { RECORD_HEADER_BYTES, RecordType } from "../format/format.js";
import type { Hasher } from "../format/hasher.js";
import { recordIndex, recordLength, recordTopic, recordType } from "../format/record-codec.js";
import { RecordHasher } from "../format/record-hasher.js";
import { readExactly } from "../recovery/read-exactly.js";
import type { Run } from "../state/entry-table.js";
import type { LogState } from "../state/log-state.js";
import type { TopicIndex } from "../state/topic-index.js";
import type { Entry, ReadOptions } from "../types.js";
import type { IndexCache } from "./index-cache.js";
import type { SegmentFiles } from "./segment-files.js";
import { type Span, SpanPlan } from "./span.js";

/** How much one read returns if the caller does not say: a good size for one frame on the wire. */
export const readDefaults: Readonly<{ maxEntries: number; maxBytes: number }> = { maxEntries: 1024, maxBytes: 1024 * 1024 };

function limit(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`${name} must be a whole number of at least 1, not ${String(value)}.`);
}

/** What a read may return, and in which direction. */
interface Wanted {
  readonly topic: TopicIndex;
  readonly from: number;
  readonly step: 1 | -1;
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** A part of a run, as it was when the read began. */
interface Piece extends Pick<Run, "table" | "first" | "next"> {
  /** Where its entries are, where that may change before the plan is made. */
  readonly places: Uint32Array | null;
}

/** Reads entries back, and checks every byte. */
export class LogReader {
  readonly #state: LogState;
  readonly #files: SegmentFiles;
  readonly #index: IndexCache;
  readonly #hasher: Hasher;
  readonly #seed: (segment: number) => bigint;

  constructor(state: LogState, files: SegmentFiles, index: IndexCache, hasher: Hasher, seed: (segment: number) => bigint) {
    this.#state = state;
    this.#files = files;
    this.#index = index;
    this.#hasher = hasher;
    this.#seed = seed;
  }

  /** Entries from `from` on, oldest first. */
  async read(name: string, from: number, options: ReadOptions): Promise<Entry[]> {
    return this.#begin(name, from, 1, options);
  }

  /** Entries from `from` backwards, newest first; from the last one if `from` is beyond it. */
  async readReverse(name: string, from: number, options: ReadOptions): Promise<Entry[]> {
    return this.#begin(name, from, -1, options);
  }

  #begin(name: string, from: number, step: 1 | -1, options: ReadOptions): Entry[] | Promise<Entry[]> {
    const maxEntries = limit("maxEntries", options.maxEntries, readDefaults.maxEntries);
    const maxBytes = limit("maxBytes", options.maxBytes, readDefaults.maxBytes);
    const topic = this.#state.topic(name);
    if (topic === undefined) return [];
    if (from < topic.first) throw truncated(name, from, topic.first);
    if (topic.first === topic.next || (step === 1 && from >= topic.next)) return [];
    return this.#collect({ topic, from: Math.min(from, topic.next - 1), step, maxEntries, maxBytes });
  }

  /**
   * The runs are taken down, and their segments held, before the first turn is over: so the read sees one state of the topic, whatever is
   * truncated, sealed or moved while it goes on.
   */
  async #collect(wanted: Wanted): Promise<Entry[]> {
    const pieces = piecesOf(wanted);
    for (const { table } of pieces) this.#files.hold(table.segment);
    const entries: Entry[] = [];
    try {
      const { spans } = await this.#plan(pieces, wanted);
      // The next one is read while the bytes of this one are checked.
      let ahead = this.#load(spans[0]);
      for (const [at, span] of spans.entries()) {
        const bytes = await ahead;
        ahead = this.#load(spans[at + 1]);
        this.#decode(span, bytes, wanted, entries);
      }
    } finally {
      for (const { table } of pieces) this.#files.release(table.segment);
    }
    return entries;
  }

  async #plan(pieces: readonly Piece[], { from, step, maxEntries, maxBytes }: Wanted): Promise<SpanPlan> {
    const plan = new SpanPlan(step, maxEntries, maxBytes);
    for (const { table, first, next, places: copied } of pieces) {
      const known = copied ?? this.#index.places(table);
      const places = known instanceof Uint32Array ? known : await known;
      const index = step === 1 ? Math.max(first, from) : Math.min(next - 1, from);
      const stop = (step === 1 ? next : first - 1) - table.first;
      if (!plan.add({ segment: table.segment, places, slot: index - table.first, stop, index })) return plan;
    }
    return plan;
  }

  /** The bytes of a span. */
  #load(span: Span | undefined): Promise<Uint8Array> {
    const bytes = span === undefined ? Promise.resolve(NOTHING) : this.#read(span);
    // Whoever waits for it hears of a failure; if something else failed before, nobody does.
    bytes.catch(() => undefined);
    return bytes;
  }

  async #read({ segment, start, end }: Span): Promise<Uint8Array> {
    const path = this.#files.path(segment);
    try {
      const file = await this.#files.acquire(segment);
      // Not zeroed first: it is filled whole, or nobody sees it.
      const bytes = new Uint8Array(Buffer.allocUnsafeSlow(end - start).buffer);
      await readExactly(file, bytes, start, path);
      return bytes;
    } catch (error) {
      throw asWalrusError(error, "read", path);
    } finally {
      this.#files.release(segment);
    }
  }

  #decode(span: Span, bytes: Uint8Array, { topic: { id }, step }: Wanted, entries: Entry[]): void {
    const { places, start, segment, firstIndex } = span;
    const view = viewOf(bytes);
    const hasher = new RecordHasher(this.#hasher, this.#seed(segment)).begin(bytes, bytes.length);
    // A view keeps all of `bytes` in memory: not worth it where most of them belong to others.
    const copy = span.payloadBytes * 2 < bytes.length;
    const count = places.length / 2;
    for (let number = 0; number < count; number++) {
      const index = firstIndex + number * step;
      const offset = places[(step === 1 ? number : count - 1 - number) * 2] ?? 0;
      const at = offset - start;
      const payloadAt = at + RECORD_HEADER_BYTES;
      const end = payloadAt + recordLength(view, at);
      if (end > bytes.length || !hasher.verify(at, end, offset))
        throw corrupt(this.#files.path(segment), offset, `the checksum of entry ${index} does not match`);
      if (!isEntry(view, at, id, index))
        throw corrupt(this.#files.path(segment), offset, `there is another record where entry ${index} should be`);
      entries.push({ index, payload: copy ? bytes.slice(payloadAt, end) : bytes.subarray(payloadAt, end) });
    }
  }
}

const NOTHING = new Uint8Array(0);

function isEntry(view: DataView, at: number, topic: number, index: number): boolean {
  const type = recordType(view, at);
  return (type === RecordType.append || type === RecordType.move) && recordTopic(view, at) === topic && recordIndex(view, at) === index;
}

/** Takes down as many runs as the read can need: at least one, and by their lengths no more than one too many. */
function piecesOf({ topic, from, step, maxEntries, maxBytes }: Wanted): Piece[] {
  const pieces: Piece[] = [];
  let entries = 0;
  let bytes = 0;
  let waits = false;
  for (const run of step === 1 ? topic.runsFrom(from) : topic.runsBack(from)) {
    const { table } = run;
    // While an earlier piece is read, entries of the segment that is written to may be cut and their slots be used again.
    const isVolatile = waits && table.recordAt === 0;
    pieces.push({ table, first: run.first, next: run.next, places: isVolatile ? (table.places?.slice() ?? null) : null });
    waits ||= table.places === null;
    const isFirst = pieces.length === 1;
    entries += isFirst ? (step === 1 ? run.next - from : from - run.first + 1) : run.next - run.first;
    if (!isFirst) bytes += run.bytes;
    if (entries >= maxEntries || bytes > 2 * maxBytes) break;
  }
  return pieces;
}

function truncated(name: string, from: number, first: number): WalrusError {
  const message = `Entry ${from} of topic "${name}" was removed by front truncation; read from ${first} on.`;
  return new WalrusError("OCTOPII_WALRUS_TRUNCATED", message, { details: { topic: name, from, first } });
}
