import { viewOf } from "./bytes.js";
import { asWalrusError, corrupt, WalrusError } from "./errors.js";
import { RECORD_HEADER_BYTES, RecordType } from "./format.js";
import type { Hasher } from "./hasher.js";
import type { LogState } from "./log-state.js";
import { recordIndex, recordLength, recordTopic, recordType, verifyRecord } from "./record-codec.js";
import { readExactly } from "./recovery.js";
import type { SegmentFiles } from "./segment-files.js";
import type { TopicIndex } from "./topic-index.js";
import type { Entry, ReadOptions } from "./types.js";

/** How much one read returns if the caller does not say: a good size for one frame on the wire. */
export const readDefaults: Readonly<{ maxEntries: number; maxBytes: number }> = { maxEntries: 1024, maxBytes: 1024 * 1024 };

/** Bytes of other topics between two records that are read over rather than around. */
const GAP_BYTES = 16 * 1024;
/** One read of the file covers no more than this, unless a single record is longer. */
const SPAN_BYTES = 1024 * 1024;

/** Neighbouring records of one topic that are read in one go. */
interface Span {
  readonly segment: number;
  readonly start: number;
  end: number;
  readonly firstIndex: number;
  readonly offsets: number[];
  payloadBytes: number;
}

function limit(name: string, value: number | undefined, fallback: number): number {
  if (value === undefined) return fallback;
  if (Number.isSafeInteger(value) && value >= 1) return value;
  throw new RangeError(`${name} must be a whole number of at least 1, not ${String(value)}.`);
}

/** Chooses what to read: at least one entry, if there is one. Synchronous, so that it sees one state of the topic. */
function planSpans(topic: TopicIndex, from: number, maxEntries: number, maxBytes: number): Span[] {
  const spans: Span[] = [];
  let span: Span | undefined;
  let run = topic.runOf(from);
  let total = 0;
  const stop = maxEntries < topic.next - from ? from + maxEntries : topic.next;
  for (let index = from; index < stop; index++) {
    const length = topic.lengthOf(index);
    total += length;
    if (total > maxBytes && index > from) break;
    if (index >= topic.runNext(run)) run++;
    const segment = topic.runSegment(run);
    const start = topic.offsetOf(index);
    const end = start + RECORD_HEADER_BYTES + length;
    if (span === undefined || span.segment !== segment || start - span.end > GAP_BYTES || end - span.start > SPAN_BYTES) {
      span = { segment, start, end, firstIndex: index, offsets: [], payloadBytes: 0 };
      spans.push(span);
    }
    span.offsets.push(start);
    span.end = end;
    span.payloadBytes += length;
  }
  return spans;
}

/** Reads entries back, and checks every byte. */
export class LogReader {
  readonly #state: LogState;
  readonly #files: SegmentFiles;
  readonly #hasher: Hasher;
  readonly #seed: (segment: number) => bigint;

  constructor(state: LogState, files: SegmentFiles, hasher: Hasher, seed: (segment: number) => bigint) {
    this.#state = state;
    this.#files = files;
    this.#hasher = hasher;
    this.#seed = seed;
  }

  async read(name: string, from: number, options: ReadOptions): Promise<Entry[]> {
    const maxEntries = limit("maxEntries", options.maxEntries, readDefaults.maxEntries);
    const maxBytes = limit("maxBytes", options.maxBytes, readDefaults.maxBytes);
    const topic = this.#state.topic(name);
    if (topic === undefined || from >= topic.next) return [];
    if (from < topic.first) throw truncated(name, from, topic.first);
    const spans = planSpans(topic, from, maxEntries, maxBytes);
    const opened = spans.map((span) => this.#files.acquire(span.segment));
    const entries: Entry[] = [];
    try {
      for (const [at, span] of spans.entries()) {
        const path = this.#files.path(span.segment);
        try {
          const bytes = new Uint8Array(span.end - span.start);
          const file = await opened[at];
          if (file !== undefined) await readExactly(file, bytes, span.start, path);
          this.#decode(span, bytes, topic.id, path, entries);
        } catch (error) {
          throw asWalrusError(error, "read", path);
        }
      }
    } finally {
      await Promise.allSettled(opened);
      for (const span of spans) this.#files.release(span.segment);
    }
    return entries;
  }

  #decode(span: Span, bytes: Uint8Array, topic: number, path: string, entries: Entry[]): void {
    const view = viewOf(bytes);
    const seed = this.#seed(span.segment);
    // A view keeps all of `bytes` in memory: not worth it where most of them belong to others.
    const copy = span.payloadBytes * 2 < bytes.length;
    let index = span.firstIndex;
    for (const offset of span.offsets) {
      const at = offset - span.start;
      const end = at + RECORD_HEADER_BYTES + recordLength(view, at);
      const whole = end <= bytes.length && verifyRecord(bytes, view, at, offset, seed, this.#hasher);
      if (!whole) throw corrupt(path, offset, `the checksum of entry ${index} does not match`);
      const right = recordType(view, at) === RecordType.append && recordTopic(view, at) === topic && recordIndex(view, at) === index;
      if (!right) throw corrupt(path, offset, `there is another record where entry ${index} should be`);
      const start = at + RECORD_HEADER_BYTES;
      entries.push({ index, payload: copy ? bytes.slice(start, end) : bytes.subarray(start, end) });
      index++;
    }
  }
}

function truncated(name: string, from: number, first: number): WalrusError {
  const message = `Entry ${from} of topic "${name}" was removed by front truncation; read from ${first} on.`;
  return new WalrusError("OCTOPII_WALRUS_TRUNCATED", message, { details: { topic: name, from, first } });
}
