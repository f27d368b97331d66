/** A source of time. Libraries never read the system's clocks themselves, so a simulated clock can stand in. */
export interface Clock {
  /** Monotonic milliseconds since an arbitrary start; fractions allowed. Never steps back. For durations and deadlines. */
  now(): number;
  /** Milliseconds since 1970-01-01 UTC. May step either way. Only for certificates and for people. */
  wallTime(): number;
}

/** One pending callback of a {@link Scheduler}. */
export interface Timer {
  /** Drops the callback if it has not run. Repeating the call, or calling it after the callback ran, does nothing. */
  cancel(): void;
}

/** Runs callbacks later. Callbacks must not throw: a throw is a bug and ends the process. */
export interface Scheduler {
  /** Runs `callback` once, `delayMs` from now or a little later. Zero and negative delays mean the next turn. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /**
   * Runs `callback` after everything that is due now, input and output included, has been handled.
   * This is the batching point of the house: work that arrives in one turn is handled as one batch.
   */
  nextTurn(callback: () => void): void;
}
