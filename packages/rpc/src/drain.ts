import type { DeadlineEntry, DeadlineQueue } from "./deadline-queue.js";

/** Waits until something is done or a deadline passes, then finishes it. */
export class Drain implements DeadlineEntry {
  readonly deadline: number;
  heapIndex = -1;
  readonly finished: Promise<void>;
  readonly #deadlines: DeadlineQueue;
  readonly #isDone: () => boolean;
  readonly #finish: () => void;
  #resolve: () => void = () => undefined;
  #over = false;

  /** @param finish - called once, when `isDone` says so or `deadline` has passed. */
  constructor(deadlines: DeadlineQueue, deadline: number, isDone: () => boolean, finish: () => void) {
    this.#deadlines = deadlines;
    this.deadline = deadline;
    this.#isDone = isDone;
    this.#finish = finish;
    this.finished = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    deadlines.add(this);
    this.check();
  }

  /** To be called whenever `isDone` may have become true. */
  check(): void {
    if (!this.#over && this.#isDone()) this.expire();
  }

  expire(): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadlines.remove(this);
    this.#finish();
    this.#deadlines.release();
    this.#resolve();
  }
}
