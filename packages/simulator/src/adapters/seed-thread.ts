import { Worker } from "node:worker_threads";
import type { ClusterRunOptions, ClusterRunResult } from "../run/options.js";

/** A seed that takes longer than this by the real clock has hung: the slowest take a few seconds. */
const seedLimitMs = 120_000;

/** A thread that does one run at a time. */
export class SeedThread {
  readonly #worker: Worker;
  #finish: (outcome: ClusterRunResult | string) => void = () => undefined;

  /** @param program - the file whose threads serve seeds. */
  constructor(program: URL) {
    this.#worker = new Worker(program);
    this.#worker.on("message", (result: ClusterRunResult) => this.#finish(result));
    this.#worker.on("error", (error: Error) => this.#finish(`the thread died: ${error.stack ?? error.message}`));
    this.#worker.on("exit", (code) => this.#finish(`the thread ended with code ${code}`));
  }

  /** @returns a sentence instead of a result, if there was none. */
  run(options: ClusterRunOptions): Promise<ClusterRunResult | string> {
    return new Promise((resolve) => {
      const watchdog = setTimeout(() => this.#finish(`no result after ${seedLimitMs / 1000} s`), seedLimitMs);
      this.#finish = (outcome) => {
        clearTimeout(watchdog);
        resolve(outcome);
      };
      this.#worker.postMessage(options);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
