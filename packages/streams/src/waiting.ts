/** Somebody who waits, and may give up by a signal. */
export class Waiter<Value> {
  readonly promise: Promise<Value>;
  #resolve: (value: Value) => void = () => undefined;
  #reject: (reason: unknown) => void = () => undefined;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort: () => void;

  /** @param gaveUp - called when the signal ended the wait, and nothing else will. */
  constructor(signal: AbortSignal | undefined, gaveUp: () => void) {
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    this.#signal = signal;
    this.#onAbort = () => {
      gaveUp();
      this.reject(signal?.reason);
    };
    signal?.addEventListener("abort", this.#onAbort, { once: true });
  }

  resolve(value: Value): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve(value);
  }

  reject(reason: unknown): void {
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#reject(reason);
  }
}
