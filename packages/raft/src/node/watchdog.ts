import type { Scheduler, Timer } from "@octopii/interfaces";
import { untilAborted } from "./or-aborted.js";

/** Ends a stream that makes no progress: its signal is aborted when nothing came, or was taken, for too long, or when `parent` is. */
export class Watchdog {
  readonly #scheduler: Scheduler;
  readonly #stallMs: number;
  readonly #parent: AbortSignal;
  readonly #controller = new AbortController();
  readonly #parentAborted: () => void;
  #timer: Timer | null = null;

  constructor(scheduler: Scheduler, stallMs: number, parent: AbortSignal) {
    this.#scheduler = scheduler;
    this.#stallMs = stallMs;
    this.#parent = parent;
    this.#parentAborted = () => this.#controller.abort(parent.reason);
    if (parent.aborted) this.#parentAborted();
    else parent.addEventListener("abort", this.#parentAborted, { once: true });
    this.#rearm();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The chunks of `source`; each of them is progress. Ends with the signal's reason if it is aborted, even in the midst of a wait. */
  async *watch(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
    for await (const chunk of untilAborted(source, this.signal)) {
      this.#rearm();
      yield chunk;
    }
  }

  /** The transfer is over, one way or the other: whatever still waits in it is let go of. */
  end(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.#parent.removeEventListener("abort", this.#parentAborted);
    this.#controller.abort(new Error("The transfer is over."));
  }

  #rearm(): void {
    this.#timer?.cancel();
    if (this.signal.aborted) return;
    this.#timer = this.#scheduler.setTimer(this.#stallMs, () => {
      this.#controller.abort(new Error(`Nothing moved for ${this.#stallMs} ms.`));
    });
  }
}
