import type { Random, Scheduler, Timer } from "@octopii/interfaces";

/** When to try again after a failed dial: at first soon, then ever later, and never in step with others. */
export interface BackoffOptions {
  readonly minMs: number;
  readonly maxMs: number;
}

/** The pauses between dials to one peer. */
export class Backoff {
  readonly #options: BackoffOptions;
  readonly #scheduler: Scheduler;
  readonly #random: Random;
  #delayMs: number;
  #timer: Timer | null = null;

  constructor(options: BackoffOptions, scheduler: Scheduler, random: Random) {
    this.#options = options;
    this.#scheduler = scheduler;
    this.#random = random;
    this.#delayMs = options.minMs;
  }

  get isPaused(): boolean {
    return this.#timer !== null;
  }

  /** A connection was lost after `aliveMs`. One that a peer accepts only to close again is as good as one that it refuses. */
  lost(aliveMs: number): void {
    if (aliveMs > this.#options.maxMs) this.#delayMs = this.#options.minMs;
    else this.pause();
  }

  pause(): void {
    // Between half and all of the delay, so that peers that lost each other together do not come back together.
    const delayMs = this.#delayMs / 2 + (this.#random.uint32() % (this.#delayMs / 2 + 1));
    this.#delayMs = Math.min(this.#delayMs * 2, this.#options.maxMs);
    this.#timer?.cancel();
    this.#timer = this.#scheduler.setTimer(delayMs, () => {
      this.#timer = null;
    });
  }

  /** Ends the pause that is under way, if one is. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Forgets all failures. */
  reset(): void {
    this.end();
    this.#delayMs = this.#options.minMs;
  }
}
