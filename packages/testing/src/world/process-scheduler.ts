import type { Scheduler, Timer } from "@octopii/interfaces";
import type { EventLoop } from "./event-loop.js";
import type { Lifetime } from "./lifetime.js";
import type { MachineClock } from "./machine-clock.js";
import { eventKind } from "./simulated-event.js";

const TIMER = eventKind("timer");
const TURN = eventKind("turn");
const INERT: Timer = { cancel: () => undefined };

/** Timers and turns of one life of a process. They go silent when it ends. */
export class ProcessScheduler implements Scheduler {
  readonly #loop: EventLoop;
  readonly #lifetime: Lifetime;
  readonly #clock: MachineClock;

  constructor(loop: EventLoop, lifetime: Lifetime, clock: MachineClock) {
    this.#loop = loop;
    this.#lifetime = lifetime;
    this.#clock = clock;
  }

  /** @throws RangeError if the delay is not a finite number, which a real timer would take for 1 ms. */
  setTimer(delayMs: number, callback: () => void): Timer {
    if (!Number.isFinite(delayMs)) throw new RangeError(`a timer's delay must be a finite number of milliseconds, not ${delayMs}`);
    if (!this.#lifetime.alive) return INERT;
    if (delayMs <= 0) return this.#loop.postTurn(this.#lifetime, TIMER, callback);
    return this.#loop.post(this.#clock.worldDelayUs(delayMs), this.#lifetime, TIMER, 0, callback);
  }

  nextTurn(callback: () => void): void {
    if (this.#lifetime.alive) this.#loop.postTurn(this.#lifetime, TURN, callback);
  }
}
