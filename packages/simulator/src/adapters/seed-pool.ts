import type { SummaryBuilder } from "../runner/summary.js";
import { SeedThread } from "./seed-thread.js";

/** What a pool is to do. */
export interface PoolTask {
  /** The program whose threads serve seeds. */
  readonly program: URL;
  readonly start: number;
  readonly seeds: number;
  readonly profile: string;
  readonly workers: number;
  /** No seed is begun after this many milliseconds; those under way come to their end. */
  readonly timeLimitMs: number;
  /** No seed is begun once one has failed. */
  readonly untilFailure: boolean;
  readonly onProgress: () => void;
}

/** Runs a range of seeds on several threads, each on one seed at a time, and adds the results up. */
export async function runPool(task: PoolTask, summary: SummaryBuilder): Promise<void> {
  const begun = performance.now();
  let next = task.start;
  const take = (): number | null => {
    const isOver = next >= task.start + task.seeds || performance.now() - begun > task.timeLimitMs;
    return isOver || (task.untilFailure && summary.failed > 0) ? null : next++;
  };
  await Promise.all(Array.from({ length: Math.min(task.workers, task.seeds) }, () => runWorker(take, task, summary)));
}

/** Keeps one thread busy; one that hangs or dies is replaced, and its seed counts as failed. */
async function runWorker(take: () => number | null, task: PoolTask, summary: SummaryBuilder): Promise<void> {
  let thread: SeedThread | null = null;
  for (let seed = take(); seed !== null; seed = take()) {
    thread ??= new SeedThread(task.program);
    const outcome = await thread.run({ seed, profile: task.profile });
    if (typeof outcome === "string") {
      summary.addLost({ seed, oracle: "watchdog", message: outcome });
      await thread.stop();
      thread = null;
    } else summary.add(outcome);
    task.onProgress();
  }
  await thread?.stop();
}
