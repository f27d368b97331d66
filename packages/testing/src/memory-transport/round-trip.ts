import type { Clock } from "@octopii/interfaces";

/** The weight of a new sample, as in RFC 9002 §5.3. */
const GAIN = 1 / 8;

/** Measures how long the peer takes to answer. */
export class RoundTrip {
  /** Null until something was measured. */
  smoothedMs: number | null = null;
  readonly #clock: Clock | null;

  constructor(clock: Clock | null) {
    this.#clock = clock;
  }

  /** What to send along with a question. */
  asked(): number | null {
    return this.#clock?.now() ?? null;
  }

  /** @param sentAt - what came back with the answer. */
  answered(sentAt: number | null): void {
    if (this.#clock === null || sentAt === null) return;
    const sample = Math.max(0, this.#clock.now() - sentAt);
    this.smoothedMs = this.smoothedMs === null ? sample : this.smoothedMs + (sample - this.smoothedMs) * GAIN;
  }
}
