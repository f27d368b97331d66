interface Segment {
  bytes: number;
  /** Those of its head and its seal, which every segment has, whatever lives in it. */
  frameworkBytes: number;
  /** How many runs of live entries, over all topics, lie in it. */
  liveRuns: number;
  /** The bytes of live entries in it, roughly. */
  liveBytes: number;
}

/** The segments that exist, and what in them is still live. Their numbers are contiguous. */
export class SegmentTable {
  readonly #segments = new Map<number, Segment>();
  #first = 0;
  #last = 0;
  #bytes = 0;
  #frameworkBytes = 0;
  #liveBytes = 0;

  /** The lowest number; 0 if there are none. */
  get first(): number {
    return this.#first;
  }

  /** The number of the segment that is written to; 0 if there are none. */
  get last(): number {
    return this.#last;
  }

  get count(): number {
    return this.#segments.size;
  }

  /** The bytes of all of them. */
  get bytes(): number {
    return this.#bytes;
  }

  /** The bytes of live entries in all of them, roughly: entries that were cut away are taken for as long as those beside them. */
  get liveBytes(): number {
    return this.#liveBytes;
  }

  /**
   * The bytes that would not be written again with what is live. Heads and seals are none of them: they come again in whatever segment takes
   * the live entries, and a log that took them for waste would rewrite itself for ever.
   */
  get deadBytes(): number {
    return Math.max(0, this.#bytes - this.#liveBytes - this.#frameworkBytes);
  }

  /** The bytes of one; 0 if it does not exist. */
  bytesOf(number: number): number {
    return this.#segments.get(number)?.bytes ?? 0;
  }

  /** @param frameworkBytes - how many of `bytes` are its head, and its seal if it has one. */
  add(number: number, bytes: number, frameworkBytes: number): void {
    if (this.#first === 0) this.#first = number;
    this.#last = number;
    this.#bytes += bytes;
    this.#frameworkBytes += frameworkBytes;
    this.#segments.set(number, { bytes, frameworkBytes, liveRuns: 0, liveBytes: 0 });
  }

  /** The segment that is written to has become longer. */
  lengthen(bytes: number): void {
    const segment = this.#segments.get(this.#last);
    if (segment === undefined) return;
    segment.bytes += bytes;
    this.#bytes += bytes;
  }

  /** So many more of a segment's bytes are its head or seal. */
  countFramework(number: number, bytes: number): void {
    const segment = this.#segments.get(number);
    if (segment === undefined) return;
    segment.frameworkBytes += bytes;
    this.#frameworkBytes += bytes;
  }

  /** A run of live entries lies in the segment; more runs, or fewer. */
  countRuns(number: number, runs: number): void {
    const segment = this.#segments.get(number);
    if (segment !== undefined) segment.liveRuns += runs;
  }

  /** Live entries of so many bytes were added to the segment, or are not live any more. */
  countBytes(number: number, bytes: number): void {
    const segment = this.#segments.get(number);
    if (segment === undefined) return;
    segment.liveBytes += bytes;
    this.#liveBytes += bytes;
  }

  /** The oldest segment, if nothing in it is live and it is not the one that is written to; otherwise null. */
  removable(): number | null {
    if (this.#first === this.#last) return null;
    return this.#segments.get(this.#first)?.liveRuns === 0 ? this.#first : null;
  }

  removeFirst(): void {
    const segment = this.#segments.get(this.#first);
    this.#bytes -= segment?.bytes ?? 0;
    this.#frameworkBytes -= segment?.frameworkBytes ?? 0;
    this.#liveBytes -= segment?.liveBytes ?? 0;
    this.#segments.delete(this.#first);
    this.#first++;
  }
}
