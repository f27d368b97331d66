import type { Clock, Scheduler, Timer } from "@octopii/interfaces";

interface PendingTimer {
  readonly due: number;
  readonly callback: () => void;
  cancelled: boolean;
}

/** Time that moves only when a test says so. Deliveries stand for input and output; turns run when none are left. */
export class ManualTime implements Clock, Scheduler {
  #now = 1_000;
  #deliveries: (() => void)[] = [];
  #turns: (() => void)[] = [];
  readonly #timers: PendingTimer[] = [];
  timersSet = 0;

  now(): number {
    return this.#now;
  }

  wallTime(): number {
    return this.#now;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    const timer: PendingTimer = { due: this.#now + delayMs, callback, cancelled: false };
    this.#timers.push(timer);
    this.timersSet += 1;
    return {
      cancel: () => {
        timer.cancelled = true;
      },
    };
  }

  nextTurn(callback: () => void): void {
    this.#turns.push(callback);
  }

  deliver(callback: () => void): void {
    this.#deliveries.push(callback);
  }

  get liveTimers(): number {
    return this.#timers.filter((timer) => !timer.cancelled).length;
  }

  /** Runs what is due, promises included, until nothing is. */
  async settle(): Promise<void> {
    for (let round = 0; round < 10_000; round++) {
      await new Promise((resolve) => setImmediate(resolve));
      if (!this.#runBatch()) return;
    }
    throw new Error("The work never ends.");
  }

  /** Lets time pass, stopping at each timer on the way. */
  async advance(ms: number): Promise<void> {
    await this.settle();
    const end = this.#now + ms;
    for (;;) {
      const next = this.#nextTimer(end);
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next.due);
      next.cancelled = true;
      next.callback();
      await this.settle();
    }
    this.#now = end;
    await this.settle();
  }

  #nextTimer(end: number): PendingTimer | undefined {
    return this.#timers.filter((timer) => !timer.cancelled && timer.due <= end).sort((a, b) => a.due - b.due)[0];
  }

  #runBatch(): boolean {
    const batch = this.#deliveries.length > 0 ? this.#deliveries : this.#turns;
    if (batch === this.#deliveries) this.#deliveries = [];
    else this.#turns = [];
    for (const callback of batch) callback();
    return batch.length > 0;
  }
}
