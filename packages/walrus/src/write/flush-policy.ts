import type { Scheduler, Timer } from "@octopii/interfaces";
import type { WalrusConfig } from "../options.js";

/** Decides when what was written without a flush is flushed. */
export class FlushPolicy {
  /** Whether a call that says nothing of flushing waits for stable storage. */
  readonly flushesEveryCall: boolean;
  readonly #config: Pick<WalrusConfig, "flush" | "flushIntervalMs" | "flushBytes">;
  readonly #scheduler: Scheduler;
  readonly #onDue: () => void;
  #timer: Timer | null = null;

  /** @param onDue - called when the interval is over. */
  constructor(config: Pick<WalrusConfig, "flush" | "flushIntervalMs" | "flushBytes">, scheduler: Scheduler, onDue: () => void) {
    this.flushesEveryCall = config.flush === "always";
    this.#config = config;
    this.#scheduler = scheduler;
    this.#onDue = onDue;
  }

  /** Whether a write that leaves so many bytes unsynced is to be flushed at once. */
  isDue(unsyncedBytes: number): boolean {
    return this.#config.flush === "bytes" && unsyncedBytes >= this.#config.flushBytes;
  }

  /** A write ended. */
  wrote(unsyncedBytes: number): void {
    if (unsyncedBytes === 0) this.stop();
    else if (this.#config.flush === "interval" && this.#timer === null) {
      this.#timer = this.#scheduler.setTimer(this.#config.flushIntervalMs, () => {
        this.#timer = null;
        this.#onDue();
      });
    }
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
