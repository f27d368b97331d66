import { Worker } from "node:worker_threads";
import type { ClusterRunResult } from "../cluster/options.js";
import type { SummaryBuilder } from "../runner/summary.js";

/** A seed that takes longer than this by the real clock has hung: the slowest take a few seconds. */
const seedLimitMs = 60_000;

/** What a pool is to do. */
export interface PoolTask {
  /** The program whose threads serve seeds. */
  readonly program: URL;
  readonly start: number;
  readonly seeds: number;
  readonly workers: number;
  /** No seed is begun after this many milliseconds; those under way come to their end. */
  readonly timeLimitMs: number;
  readonly onProgress: () => void;
}

/** Runs a range of seeds on several threads, each on one seed at a time, and adds the results up. */
export async function runPool(task: PoolTask, summary: SummaryBuilder): Promise<void> {
  const begun = performance.now();
  let next = task.start;
  const take = (): number | null => {
    const isOver = next >= task.start + task.seeds || performance.now() - begun > task.timeLimitMs;
    return isOver ? null : next++;
  };
  await Promise.all(Array.from({ length: task.workers }, () => runWorker(take, task, summary)));
}

/** Keeps one thread busy; one that hangs or dies is replaced, and its seed counts as failed. */
async function runWorker(take: () => number | null, task: PoolTask, summary: SummaryBuilder): Promise<void> {
  let thread: SeedThread | null = null;
  for (let seed = take(); seed !== null; seed = take()) {
    thread ??= new SeedThread(task.program);
    const outcome = await thread.run(seed);
    if (typeof outcome === "string") {
      summary.addLost({ seed, oracle: "watchdog", message: outcome });
      await thread.stop();
      thread = null;
    } else summary.add(outcome);
    task.onProgress();
  }
  await thread?.stop();
}

/** A thread that runs one seed at a time. */
class SeedThread {
  readonly #worker: Worker;
  #finish: (outcome: ClusterRunResult | string) => void = () => undefined;

  constructor(program: URL) {
    this.#worker = new Worker(program);
    this.#worker.on("message", (result: ClusterRunResult) => this.#finish(result));
    this.#worker.on("error", (error: Error) => this.#finish(`the thread died: ${error.stack ?? error.message}`));
    this.#worker.on("exit", (code) => this.#finish(`the thread ended with code ${code}`));
  }

  /** @returns a sentence instead of a result, if there was none. */
  run(seed: number): Promise<ClusterRunResult | string> {
    return new Promise((resolve) => {
      const watchdog = setTimeout(() => this.#finish(`no result after ${seedLimitMs / 1000} s`), seedLimitMs);
      this.#finish = (outcome) => {
        clearTimeout(watchdog);
        resolve(outcome);
      };
      this.#worker.postMessage(seed);
    });
  }

  async stop(): Promise<void> {
    await this.#worker.terminate();
  }
}
