import type { Clock, Scheduler, Timer } from "@octopii/interfaces";

/** Calls back once nothing has moved for too long. One timer, however often something moves. */
export class ProgressWatch {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #timeoutMs: number;
  readonly #expired: () => void;
  #movedAt: number;
  #timer: Timer | null;

  constructor(ports: { readonly clock: Clock; readonly scheduler: Scheduler }, timeoutMs: number, expired: () => void) {
    this.#clock = ports.clock;
    this.#scheduler = ports.scheduler;
    this.#timeoutMs = timeoutMs;
    this.#expired = expired;
    this.#movedAt = ports.clock.now();
    this.#timer = this.#arm(timeoutMs);
  }

  moved(): void {
    this.#movedAt = this.#clock.now();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  #arm(delayMs: number): Timer {
    return this.#scheduler.setTimer(delayMs, () => {
      const left = this.#movedAt + this.#timeoutMs - this.#clock.now();
      // A timer may come a little early on a clock of its own.
      if (left > 0) this.#timer = this.#arm(left);
      else this.#expired();
    });
  }
}
