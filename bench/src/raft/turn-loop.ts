import type { Scheduler } from "@octopii/interfaces";

/** After so many turns the event loop gets its own, so that timers run. */
const turnsPerMacrotask = 256;

const settled: Promise<void> = Promise.resolve();

/**
 * Turns for a group that lives in memory: as in the event loop, each begins when the promises of the one before have settled, but between
 * them nobody asks the system for input and output that cannot come. Timers are the system's.
 */
export function createTurnLoop(): Scheduler {
  let queue: (() => void)[] = [];
  let isRunning = false;
  const run = async (): Promise<void> => {
    for (let turn = 0; queue.length > 0 && turn < turnsPerMacrotask; turn++) {
      const due = queue;
      queue = [];
      for (const callback of due) callback();
      await settled;
    }
    isRunning = false;
    if (queue.length > 0) start();
  };
  const start = (): void => {
    if (isRunning) return;
    isRunning = true;
    setImmediate(() => void run());
  };
  return {
    setTimer: (delayMs, callback) => {
      const handle = setTimeout(callback, delayMs);
      return { cancel: () => clearTimeout(handle) };
    },
    nextTurn: (callback) => {
      queue.push(callback);
      start();
    },
  };
}
