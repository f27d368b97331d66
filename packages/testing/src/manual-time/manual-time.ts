import type { Clock, Scheduler, Timer } from "@octopii/interfaces";
import { TestingError } from "../errors.js";

/** Callbacks in one `advance` after which it is taken for endless. */
const MAX_CALLBACKS = 1_000_000;

interface Entry extends Timer {
  readonly due: number;
  callback: (() => void) | null;
}

/** Time for unit tests: it passes when the test says so, and synchronously. */
export interface ManualTime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  /** Callbacks that wait, turns included. */
  readonly pending: number;
  /**
   * Runs every turn and timer that is due within `milliseconds`, in order of time and, at one time, of setting; turns run when
   * everything due at their instant has run. `advance(0)` runs what is due now. Promise jobs do not run in between: await them.
   * @throws {TestingError} `OCTOPII_TESTING_STANDSTILL` after a million callbacks; whatever a callback throws.
   */
  advance(milliseconds: number): void;
}

/** Options of {@link createManualTime}. */
export interface ManualTimeOptions {
  /** What `clock.wallTime()` gives at first. Default 1,767,225,600,000: the first moment of 2026, UTC. */
  readonly startWallTime?: number;
}

class ManualTimeSource implements ManualTime {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  #now = 0;
  #timers: Entry[] = [];
  #turns: (() => void)[] = [];
  #advancing = false;

  constructor(startWallTime: number) {
    this.clock = { now: () => this.#now, wallTime: () => startWallTime + this.#now };
    this.scheduler = {
      setTimer: (delayMs, callback) => this.#setTimer(delayMs, callback),
      nextTurn: (callback) => {
        this.#turns.push(callback);
      },
    };
  }

  get pending(): number {
    return this.#timers.length + this.#turns.length;
  }

  advance(milliseconds: number): void {
    if (!(milliseconds >= 0 && Number.isFinite(milliseconds))) {
      throw new RangeError(`time advances by a finite number of milliseconds, not ${milliseconds}`);
    }
    if (this.#advancing) throw new TestingError("OCTOPII_TESTING_STATE", "advance was called from a callback that advance runs.");
    this.#advancing = true;
    try {
      this.#run(this.#now + milliseconds);
    } finally {
      this.#advancing = false;
    }
  }

  #run(until: number): void {
    for (let callbacks = 0; ; callbacks += 1) {
      if (callbacks > MAX_CALLBACKS) {
        throw new TestingError("OCTOPII_TESTING_STANDSTILL", `${MAX_CALLBACKS} callbacks ran in one advance; something re-arms itself.`);
      }
      const first = this.#timers[0];
      if (first !== undefined && (first.due <= this.#now || (this.#turns.length === 0 && first.due <= until))) {
        this.#timers.shift();
        this.#now = Math.max(this.#now, first.due);
        first.callback?.();
        continue;
      }
      const turns = this.#turns;
      if (turns.length === 0) break;
      this.#turns = [];
      for (const turn of turns) turn();
    }
    this.#now = until;
  }

  #setTimer(delayMs: number, callback: () => void): Timer {
    if (!Number.isFinite(delayMs)) throw new RangeError(`a timer's delay must be a finite number of milliseconds, not ${delayMs}`);
    const entry: Entry = {
      due: this.#now + Math.max(0, delayMs),
      callback,
      cancel: () => {
        entry.callback = null;
        this.#timers = this.#timers.filter((other) => other !== entry);
      },
    };
    if (delayMs > 0) this.#insert(entry);
    else this.#turns.push(() => entry.callback?.());
    return entry;
  }

  #insert(entry: Entry): void {
    let index = this.#timers.length;
    while (index > 0 && (this.#timers[index - 1] as Entry).due > entry.due) index -= 1;
    this.#timers.splice(index, 0, entry);
  }
}

/** Makes a clock and a scheduler that a test moves by hand. */
export function createManualTime(options: ManualTimeOptions = {}): ManualTime {
  return new ManualTimeSource(options.startWallTime ?? 1_767_225_600_000);
}
