import type { Clock, Scheduler } from "@octopii/interfaces";

/** Bytes that may pass at once after a pause. */
const burstMs = 100;

/**
 * Lets bytes pass at a steady rate: a token bucket. Reads ahead at most one chunk of what it throttles, and lets it pass in pieces, so that
 * something passes every {@link burstMs}, however slow the rate: whoever watches for a stall must see none.
 */
export class Throttle {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #bytesPerSecond: number;
  readonly #pieceBytes: number;
  /** When the bytes that have passed so far are paid for. */
  #paidAt = 0;

  /** @param bytesPerSecond - 0 for no limit. */
  constructor(clock: Clock, scheduler: Scheduler, bytesPerSecond: number) {
    this.#clock = clock;
    this.#scheduler = scheduler;
    this.#bytesPerSecond = bytesPerSecond;
    this.#pieceBytes = bytesPerSecond === 0 ? Number.POSITIVE_INFINITY : Math.max(1, Math.floor((bytesPerSecond * burstMs) / 1_000));
  }

  /** The bytes of `source`, each when its turn has come. Ends with an error when `signal` is aborted. */
  async *limit(source: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of source) {
      for (let at = 0; at < chunk.length; at += this.#pieceBytes) {
        const piece = chunk.length <= this.#pieceBytes ? chunk : chunk.subarray(at, at + this.#pieceBytes);
        await this.#pass(piece.length, signal);
        yield piece;
      }
    }
  }

  async #pass(bytes: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#bytesPerSecond === 0) return;
    const now = this.#clock.now();
    this.#paidAt = Math.max(this.#paidAt, now - burstMs) + (bytes / this.#bytesPerSecond) * 1_000;
    if (this.#paidAt > now) await this.#wait(this.#paidAt - now, signal);
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const aborted = (): void => {
        timer.cancel();
        reject(signal.reason);
      };
      const timer = this.#scheduler.setTimer(delayMs, () => {
        signal.removeEventListener("abort", aborted);
        resolve();
      });
      signal.addEventListener("abort", aborted, { once: true });
    });
  }
}
