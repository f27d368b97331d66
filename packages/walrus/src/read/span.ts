import { RECORD_HEADER_BYTES } from "../format/format.js";

/** Bytes of other topics between two records that are read over rather than around. */
const GAP_BYTES = 16 * 1024;
/** One read of the file covers no more than this, unless a single record is longer. */
const SPAN_BYTES = 1024 * 1024;

/** Neighbouring records of one topic that are read in one go. */
export interface Span {
  readonly segment: number;
  /** The part of the file that has them. */
  readonly start: number;
  readonly end: number;
  /** The index of the record that is given out first. */
  readonly firstIndex: number;
  /** Where each record is and how long its payload, two numbers each, in the order of the indexes. */
  readonly places: Uint32Array;
  readonly payloadBytes: number;
}

/** Entries of one run that may be read. */
export interface Stretch {
  readonly segment: number;
  /** As in an {@link EntryTable}. */
  readonly places: Uint32Array;
  /** Which of them comes first, in the order of reading. */
  readonly slot: number;
  /** Which of them is not read any more. */
  readonly stop: number;
  /** The index of the first. */
  readonly index: number;
}

/** Gathers records into spans, until enough were asked for. */
export class SpanPlan {
  readonly spans: Span[] = [];
  readonly #step: 1 | -1;
  readonly #maxEntries: number;
  readonly #maxBytes: number;
  #entries = 0;
  #bytes = 0;

  constructor(step: 1 | -1, maxEntries: number, maxBytes: number) {
    this.#step = step;
    this.#maxEntries = maxEntries;
    this.#maxBytes = maxBytes;
  }

  /** Adds what fits of a stretch; false if that is not all of it, or nothing more would fit. The very first record is always taken. */
  add(stretch: Stretch): boolean {
    const { places, stop } = stretch;
    const step = this.#step;
    let slot = stretch.slot;
    while (slot !== stop) {
      const first = slot;
      let start = places[slot * 2] ?? 0;
      let end = start;
      let payloadBytes = 0;
      for (; slot !== stop; slot += step) {
        const offset = places[slot * 2] ?? 0;
        const length = places[slot * 2 + 1] ?? 0;
        const isTooMuch = this.#entries >= this.#maxEntries || (this.#entries > 0 && this.#bytes + length > this.#maxBytes);
        const after = offset + RECORD_HEADER_BYTES + length;
        if (isTooMuch || (slot !== first && !fits(start, end, offset, after))) break;
        this.#entries++;
        this.#bytes += length;
        payloadBytes += length;
        if (offset < start) start = offset;
        if (after > end) end = after;
      }
      if (slot === first) return false;
      this.spans.push(spanOf(stretch, first, slot, start, end, payloadBytes));
    }
    return this.#entries < this.#maxEntries && this.#bytes < this.#maxBytes;
  }
}

/** The places are copied: those of the segment that is written to change when its end is cut. */
function spanOf(
  { segment, places, slot, index }: Stretch,
  from: number,
  to: number,
  start: number,
  end: number,
  payloadBytes: number,
): Span {
  const copied = from < to ? places.slice(from * 2, to * 2) : places.slice((to + 1) * 2, (from + 1) * 2);
  return { segment, start, end, firstIndex: index + from - slot, places: copied, payloadBytes };
}

/** Whether a record stands so close to a span that one read covers both. */
function fits(start: number, end: number, offset: number, after: number): boolean {
  if (offset - end > GAP_BYTES || start - after > GAP_BYTES) return false;
  return Math.max(after, end) - Math.min(offset, start) <= SPAN_BYTES;
}
