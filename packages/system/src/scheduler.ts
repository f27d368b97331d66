import type { Scheduler, Timer } from "@octopii/interfaces";

class SystemTimer implements Timer {
  #handle: NodeJS.Timeout | null;

  constructor(delayMs: number, callback: () => void) {
    this.#handle = setTimeout(() => {
      this.#handle = null;
      callback();
    }, delayMs);
  }

  cancel(): void {
    if (this.#handle === null) return;
    clearTimeout(this.#handle);
    this.#handle = null;
  }
}

/** Node's timers and event loop. A pending timer keeps the process alive, so whoever sets one cancels it on close. */
export const systemScheduler: Scheduler = {
  setTimer: (delayMs, callback) => new SystemTimer(delayMs, callback),
  nextTurn: (callback) => {
    setImmediate(callback);
  },
};
