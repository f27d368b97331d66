import { inMacrotask } from "../adapters/macrotask.js";
import { microtaskDrain } from "../adapters/microtask-drain.js";
import { TestingError } from "../errors.js";
import type { EventLoop } from "./event-loop.js";

/** How promise jobs are run between events. */
export type MicrotaskMode = "auto" | "portable";

/** When a run ends. */
export interface RunGoal {
  /** Checked before the first and after every event, when all promise jobs are done. */
  readonly reached: () => boolean;
  /** Events after this are left for later. Virtual microseconds. */
  readonly limitUs: number;
  readonly maxEvents: number;
}

/** How a run ended: the goal was reached, no event is left by the limit, or as many events ran as were allowed. */
export type RunEnd = "reached" | "quiet" | "events";

/** So many events pass between two turns of the real loop, so that signals, messages and reports get through. */
const EVENTS_PER_MACROTASK = 4096;

/**
 * Drives the virtual loop from the real one. Between two events all promise jobs run: by V8's own checkpoint where that can be called,
 * else by a turn of the real loop per event. Both give the same run.
 */
export class Runner {
  readonly #loop: EventLoop;
  readonly #mode: MicrotaskMode;
  readonly #seed: string;
  #running = false;

  constructor(loop: EventLoop, mode: MicrotaskMode, seed: string) {
    this.#loop = loop;
    this.#mode = mode;
    this.#seed = seed;
  }

  /** Rejects with what an event threw, wrapped so that the message names the seed. */
  run(goal: RunGoal): Promise<RunEnd> {
    if (this.#running) {
      const message = `seed ${this.#seed}: the world is running already; wait for the other run to end first.`;
      return Promise.reject(new TestingError("OCTOPII_TESTING_STATE", message));
    }
    this.#running = true;
    return new Promise<RunEnd>((resolve, reject) => {
      const lastEvent = this.#loop.executed + goal.maxEvents;
      const pump = (): void => {
        let end: RunEnd | null;
        try {
          end = this.#batch(goal, lastEvent);
        } catch (error) {
          this.#running = false;
          reject(error);
          return;
        }
        if (end === null) return inMacrotask(pump);
        this.#running = false;
        resolve(end);
      };
      inMacrotask(pump);
    });
  }

  #batch(goal: RunGoal, lastEvent: number): RunEnd | null {
    const loop = this.#loop;
    const drain = this.#mode === "auto" ? microtaskDrain() : null;
    const batchEnd = loop.executed + (drain === null ? 1 : EVENTS_PER_MACROTASK);
    for (;;) {
      this.#throwFailure();
      if (goal.reached()) return "reached";
      if (loop.executed >= lastEvent) return "events";
      if (loop.executed >= batchEnd) return null;
      if (!loop.step(goal.limitUs)) return "quiet";
      if (drain === null) return null;
      drain();
    }
  }

  #throwFailure(): void {
    const failure = this.#loop.failure;
    if (failure === null) return;
    const words = failure.error instanceof Error ? failure.error.message : String(failure.error);
    const message = `seed ${this.#seed}: in a ${failure.kind} of ${failure.node} at ${failure.timeMs} ms: ${words}`;
    throw new TestingError(failure.code, message, {
      cause: failure.error,
      details: { seed: this.#seed, node: failure.node, kind: failure.kind, timeMs: failure.timeMs },
    });
  }
}
