/** A fixed number of places, taken in the order of asking. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves with a place; whoever gets one gives it back. Rejects with the signal's reason, without one. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const onAbort = (): void => {
        this.#waiting.delete(turn);
        reject(signal.reason);
      };
      const turn = (): void => {
        signal.removeEventListener("abort", onAbort);
        resolve();
      };
      this.#waiting.add(turn);
      signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  give(): void {
    for (const turn of this.#waiting) {
      this.#waiting.delete(turn);
      return turn();
    }
    this.#free += 1;
  }
}
