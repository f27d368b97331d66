import type { Clock, Scheduler, Timer } from "@octopii/interfaces";
import type { CallOptions } from "../call-options.js";
import { CoreError, isCoreError } from "../errors.js";
import { isWorthRetrying, toCallerError } from "./error-mapping.js";

/** The pause between attempts, unless something changes sooner: short against an election, long against a call. */
const pauseMs = 50;

/** Time and cancellation of one call that may take several attempts. */
export class Attempts {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #deadline: number;
  readonly #misuse: RangeError | null;
  readonly #signal: AbortSignal | undefined;

  constructor(clock: Clock, scheduler: Scheduler, options: CallOptions, defaultTimeoutMs: number) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#signal = options.signal;
    const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
    this.#misuse = isDuration(timeoutMs)
      ? null
      : new RangeError(`timeoutMs must be a number of milliseconds, 0 or more and finite, not ${String(timeoutMs)}.`);
    this.#deadline = clock.now() + timeoutMs;
  }

  /** What an attempt may use. */
  get options(): { timeoutMs: number; signal?: AbortSignal } {
    const timeoutMs = Math.max(0, this.#deadline - this.#clock.now());
    return this.#signal === undefined ? { timeoutMs } : { timeoutMs, signal: this.#signal };
  }

  /** What the next attempt may use. @throws RangeError for options that make no sense; the signal's reason when it is aborted. */
  checked(): { timeoutMs: number; signal?: AbortSignal } {
    this.#check();
    return this.options;
  }

  /** Waits a moment before another attempt. @returns false at once, if there is no time for one. */
  async pauseIfTimeIsLeft(): Promise<boolean> {
    if (this.#clock.now() + pauseMs >= this.#deadline) return false;
    await this.#pause();
    return true;
  }

  /** Runs `attempt` once, and gives its error the form that callers know. */
  async once<Value>(attempt: (options: { timeoutMs: number; signal?: AbortSignal }) => Promise<Value>): Promise<Value> {
    this.#check();
    try {
      return await attempt(this.options);
    } catch (error) {
      throw toCallerError(error);
    }
  }

  /**
   * Runs `attempt` until it succeeds, fails for good, or time is up; then its last error is thrown.
   * @param harmless - it changes nothing, so it may be repeated though it may have happened.
   */
  async run<Value>(attempt: (options: { timeoutMs: number; signal?: AbortSignal }) => Promise<Value>, harmless = false): Promise<Value> {
    for (;;) {
      this.#check();
      try {
        return await attempt(this.options);
      } catch (error) {
        const callerError = toCallerError(error);
        if (!isWorthRetrying(callerError, harmless)) throw callerError;
        if (this.#clock.now() + pauseMs >= this.#deadline) throw outOfTime(callerError);
      }
      await this.#pause();
    }
  }

  #check(): void {
    if (this.#misuse !== null) throw this.#misuse;
    this.#signal?.throwIfAborted();
  }

  #pause(): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer: Timer = this.#scheduler.setTimer(pauseMs, () => {
        this.#signal?.removeEventListener("abort", onAbort);
        resolve();
      });
      const onAbort = (): void => {
        timer.cancel();
        reject(this.#signal?.reason);
      };
      this.#signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

const isDuration = (value: unknown): boolean => typeof value === "number" && Number.isFinite(value) && value >= 0;

function outOfTime(last: unknown): CoreError {
  const why = isCoreError(last) ? last.message : String(last);
  return new CoreError("OCTOPII_CORE_UNAVAILABLE", `The cluster could not serve this in time: ${why}`, { outcome: "failed", cause: last });
}
