import { RECORD_HEADER_BYTES } from "../format/format.js";

/** Bytes of other topics between two records that are read over rather than around. */
const GAP_BYTES = 16 * 1024;
/** One read of the file covers no more than this, unless a single record is longer. */
const SPAN_BYTES = 1024 * 1024;

/** Neighbouring records of one topic that are read in one go. */
export interface Span {
  readonly segment: number;
  start: number;
  end: number;
  /** The first index in the order of reading. */
  readonly firstIndex: number;
  /** The offsets of the records, in the order of reading. */
  readonly offsets: number[];
  payloadBytes: number;
}

/** Gathers records into spans, until enough were asked for. */
export class SpanPlan {
  readonly spans: Span[] = [];
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #entries = 0;
  #bytes = 0;
  #last: Span | null = null;

  constructor(maxEntries: number, maxBytes: number) {
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  get isFull(): boolean {
    return this.#entries >= this.#maxEntries || this.#bytes >= this.#maxBytes;
  }

  /** Adds the record of entry `index`; false if that would be too much. The first is always taken. */
  add(segment: number, index: number, offset: number, length: number): boolean {
    if (this.#entries >= this.#maxEntries || (this.#entries > 0 && this.#bytes + length > this.#maxBytes)) return false;
    this.#entries++;
    this.#bytes += length;
    const end = offset + RECORD_HEADER_BYTES + length;
    const span = this.#last;
    if (span === null || span.segment !== segment || !fits(span, offset, end)) {
      this.#last = { segment, start: offset, end, firstIndex: index, offsets: [offset], payloadBytes: length };
      this.spans.push(this.#last);
      return true;
    }
    if (offset < span.start) span.start = offset;
    if (end > span.end) span.end = end;
    span.offsets.push(offset);
    span.payloadBytes += length;
    return true;
  }
}

/** Whether a record stands so close to a span that one read covers both. */
function fits(span: Span, offset: number, end: number): boolean {
  if (offset - span.end > GAP_BYTES || span.start - end > GAP_BYTES) return false;
  return Math.max(end, span.end) - Math.min(offset, span.start) <= SPAN_BYTES;
}
