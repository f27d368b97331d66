import type { DeadlineEntry } from "./deadline-queue.js";
import type { Endpoint } from "./endpoint.js";

/** Waits until something is done or a deadline passes, then finishes it. */
export class Drain implements DeadlineEntry {
  readonly deadline: number;
  heapIndex = -1;
  readonly finished: Promise<void>;
  readonly #endpoint: Endpoint;
  readonly #isDone: () => boolean;
  readonly #finish: () => void;
  #resolve: () => void = () => undefined;
  #over = false;

  /** @param finish - called once, when `isDone` says so or `deadline` has passed; at once if either is so already. */
  constructor(endpoint: Endpoint, deadline: number, isDone: () => boolean, finish: () => void) {
    this.#endpoint = endpoint;
    this.deadline = deadline;
    this.#isDone = isDone;
    this.#finish = finish;
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    endpoint.deadlines.add(this);
    if (endpoint.clock.now() >= deadline) this.expire();
    else this.check();
  }

  /** To be called whenever `isDone` may have become true. */
  check(): void {
    if (!this.#over && this.#isDone()) this.expire();
  }

  expire(): void {
    if (this.#over) return;
    this.#over = true;
    this.#endpoint.deadlines.remove(this);
    this.#finish();
    this.#endpoint.deadlines.release();
    this.#resolve();
  }
}
