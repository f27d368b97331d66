interface Segment {
  bytes: number;
  /** How many runs of live entries, over all topics, lie in it. */
  liveRuns: number;
}

/** The segments that exist, and whether anything in them is still live. Their numbers are contiguous. */
export class SegmentTable {
  readonly #segments = new Map<number, Segment>();
  #first = 0;
  #last = 0;
  #bytes = 0;

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

  add(number: number, bytes: number): void {
    if (this.#first === 0) this.#first = number;
    this.#last = number;
    this.#bytes += bytes;
    this.#segments.set(number, { bytes, liveRuns: 0 });
  }

  /** The segment that is written to has become longer. */
  lengthen(bytes: number): void {
    const segment = this.#segments.get(this.#last);
    if (segment === undefined) return;
    segment.bytes += bytes;
    this.#bytes += bytes;
  }

  retain(number: number): void {
    const segment = this.#segments.get(number);
    if (segment !== undefined) segment.liveRuns++;
  }

  release(number: number): void {
    const segment = this.#segments.get(number);
    if (segment !== undefined) segment.liveRuns--;
  }

  /** The oldest segment, if nothing in it is live and it is not the one that is written to; otherwise null. */
  removable(): number | null {
    if (this.#first === this.#last) return null;
    return this.#segments.get(this.#first)?.liveRuns === 0 ? this.#first : null;
  }

  removeFirst(): void {
    this.#bytes -= this.#segments.get(this.#first)?.bytes ?? 0;
    this.#segments.delete(this.#first);
    this.#first++;
  }
}
