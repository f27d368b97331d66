import type { Clock, Scheduler, Timer } from "@octopii/interfaces";

/** One timer for many deadlines that move with every packet: it is set anew only for one that is earlier, and looks again when it goes off. */
export class EarliestTimer {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #onTimer: () => void;
  #timer: Timer | null = null;
  #at = 0;

  constructor(clock: Clock, scheduler: Scheduler, onTimer: () => void) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#onTimer = onTimer;
  }

  /** Has it go off at `at`, on the clock, or earlier; infinity is never. */
  setBy(at: number): void {
    if (this.#timer !== null) {
      if (this.#at <= at) return;
      this.#timer.cancel();
      this.#timer = null;
    }
    if (at === Number.POSITIVE_INFINITY) return;
    this.#at = at;
    this.#timer = this.#scheduler.setTimer(Math.max(0, at - this.#clock.now()), () => {
      this.#timer = null;
      this.#onTimer();
    });
  }

  cancel(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
