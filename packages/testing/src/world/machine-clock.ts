import type { Clock } from "@octopii/interfaces";
import type { EventLoop } from "./event-loop.js";

const PER_MILLION = 1_000_000;

/**
 * The clock chip of one machine. It may run fast or slow against the world, and its wall time may be stepped; its monotonic time
 * never goes back.
 */
export class MachineClock {
  readonly #loop: EventLoop;
  readonly #wallStart: number;
  #rate = 1;
  #anchorUs = 0;
  #anchorMs = 0;
  #wallOffsetMs = 0;

  /** @param wallStart - the wall time at the world's beginning, in milliseconds since 1970. */
  constructor(loop: EventLoop, wallStart: number) {
    this.#loop = loop;
    this.#wallStart = wallStart;
  }

  /** Milliseconds that this machine counted since the world began. */
  elapsed(): number {
    if (this.#rate === 1) return this.#anchorMs + (this.#loop.now - this.#anchorUs) / 1000;
    return this.#anchorMs + ((this.#loop.now - this.#anchorUs) / 1000) * this.#rate;
  }

  wallTime(): number {
    return this.#wallStart + this.#wallOffsetMs + this.elapsed();
  }

  /**
   * From now on the clock gains `partsPerMillion` on the world, or loses if negative. Timers that are set already keep their moment.
   * @param partsPerMillion - an integer from -900,000 to 10,000,000.
   */
  setRate(partsPerMillion: number): void {
    if (!Number.isInteger(partsPerMillion) || partsPerMillion < -900_000 || partsPerMillion > 10_000_000) {
      throw new RangeError(`a clock's rate must be an integer from -900000 to 10000000 parts per million, not ${partsPerMillion}`);
    }
    this.#anchorMs = this.elapsed();
    this.#anchorUs = this.#loop.now;
    this.#rate = 1 + partsPerMillion / PER_MILLION;
  }

  /** Steps the wall time by `milliseconds`, either way. Monotonic time does not notice. */
  stepWall(milliseconds: number): void {
    if (!Number.isFinite(milliseconds)) throw new RangeError(`a wall clock steps by a finite number, not ${milliseconds}`);
    this.#wallOffsetMs += milliseconds;
  }

  /** How many world microseconds pass while this clock counts `delayMs`; at least one for any delay above zero. */
  worldDelayUs(delayMs: number): number {
    return Math.ceil((delayMs * 1000) / this.#rate);
  }
}

/** What a process sees of its machine's clock: monotonic time begins with the process. */
export class ProcessClock implements Clock {
  readonly #machine: MachineClock;
  readonly #bootMs: number;

  constructor(machine: MachineClock) {
    this.#machine = machine;
    this.#bootMs = machine.elapsed();
  }

  now(): number {
    return this.#machine.elapsed() - this.#bootMs;
  }

  wallTime(): number {
    return this.#machine.wallTime();
  }
}
