import type { Clock, Scheduler } from "@octopii/interfaces";

/** Node's own time, for the tests in which time is real. */
export const realClock: Clock = { now: () => performance.now(), wallTime: () => Date.now() };

export const realScheduler: Scheduler = {
  setTimer: (delayMs, callback) => {
    const handle = setTimeout(callback, delayMs);
    return { cancel: () => clearTimeout(handle) };
  },
  nextTurn: (callback) => {
    setImmediate(callback);
  },
};
