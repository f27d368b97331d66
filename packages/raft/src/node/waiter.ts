import type { Term } from "../types.js";

/** Deadline and cancellation of one call. */
export interface WaitOptions {
  /** Ends the wait; the call rejects with the signal's reason. What was proposed may be committed all the same. */
  readonly signal?: AbortSignal;
  /** How long to wait, looked at once per tick. Default: the node's `requestTimeoutMs`. */
  readonly timeoutMs?: number;
}

/** One caller's promise, settled once, by whichever comes first. */
export class Waiter<Value> {
  readonly deadline: number;
  readonly #resolve: (value: Value) => void;
  readonly #reject: (error: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: (() => void) | undefined;
  settled = false;
  /** The term of the entry that it waits for, once there is one. */
  term: Term = 0;

  constructor(deadline: number, signal: AbortSignal | undefined, resolve: (value: Value) => void, reject: (error: unknown) => void) {
    this.deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#signal = signal;
    if (signal === undefined) return;
    this.#onAbort = () => this.reject(signal.reason);
    signal.addEventListener("abort", this.#onAbort, { once: true });
  }

  resolve(value: Value): void {
    if (this.#settle()) this.#resolve(value);
  }

  reject(error: unknown): void {
    if (this.#settle()) this.#reject(error);
  }

  /** Rejects it if its time is up. @returns whether it is settled. */
  expire(now: number, error: () => unknown): boolean {
    if (this.deadline <= now) this.reject(error());
    return this.settled;
  }

  #settle(): boolean {
    if (this.settled) return false;
    this.settled = true;
    if (this.#onAbort !== undefined) this.#signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}
