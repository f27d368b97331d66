import type { Scheduler, Timer } from "@octopii/interfaces";

const dead: Timer = { cancel: () => undefined };

/**
 * A scheduler whose timers end with it: none of them fires after {@link close}. Turns go to the one below as they are, since somebody may
 * wait for what they settle; and what throws in either ends the process, as it would without this.
 */
export class GroupScheduler implements Scheduler {
  readonly #base: Scheduler;
  readonly #timers = new Set<GroupTimer>();
  #turns = 0;
  #closed = false;

  constructor(base: Scheduler) {
    this.#base = base;
  }

  /** Timers that wait. */
  get timers(): number {
    return this.#timers.size;
  }

  /** Turns that were asked for, since the beginning. */
  get turns(): number {
    return this.#turns;
  }

  setTimer(delayMs: number, callback: () => void): Timer {
    if (this.#closed) return dead;
    const timer = new GroupTimer(this.#timers, callback);
    timer.inner = this.#base.setTimer(delayMs, timer.fire);
    this.#timers.add(timer);
    return timer;
  }

  nextTurn(callback: () => void): void {
    this.#turns += 1;
    this.#base.nextTurn(callback);
  }

  close(): void {
    this.#closed = true;
    for (const timer of [...this.#timers]) timer.cancel();
  }
}

class GroupTimer implements Timer {
  inner: Timer = dead;
  readonly #all: Set<GroupTimer>;
  readonly #callback: () => void;
  readonly fire = (): void => {
    this.#all.delete(this);
    this.#callback();
  };

  constructor(all: Set<GroupTimer>, callback: () => void) {
    this.#all = all;
    this.#callback = callback;
  }

  cancel(): void {
    this.#all.delete(this);
    this.inner.cancel();
  }
}
