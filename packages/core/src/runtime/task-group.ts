import type { Clock, Scheduler } from "@octopii/interfaces";
import type { Task, TaskContext, TaskOptions, TaskStatus } from "./task.js";
import type { RunOptions } from "./worker-runs.js";
import type { WorkerTask } from "./worker-task.js";

/** Options of a close. */
export interface RuntimeCloseOptions {
  /**
   * How long it may take: half of it for tasks to come to their end, then all are cancelled, and what has not stopped by the end is abandoned.
   * 0 cancels and abandons at once. Default: the runtime's `closeDeadlineMs`.
   */
  readonly deadlineMs?: number;
}

/** What a close found running. */
export interface CloseSummary {
  /** The names of the tasks that were still running at the end of the deadline. They were told so; their functions may still run. */
  readonly abandoned: readonly string[];
}

/** A task that runs. */
export interface TaskInfo {
  readonly group: string;
  readonly name: string;
  readonly status: TaskStatus;
}

/** Work that ends together: a part of a runtime, such as what one node does in the background. */
export interface TaskGroup {
  readonly name: string;
  /** The runtime's time. */
  readonly clock: Clock;
  /** Runs callbacks on the runtime; timers that wait when the group has closed never fire. */
  readonly scheduler: Scheduler;
  /**
   * Calls a function, up to its first `await` at once, and follows it to its end.
   * @throws {RuntimeError} `CLOSED`, `TASKS_FULL`; then the function was not called.
   */
  spawn<Value>(run: (context: TaskContext) => Value | PromiseLike<Value>, options?: TaskOptions): Task<Value>;
  /**
   * Has a worker thread call a function. Input and result are copied, or handed over where they are listed for transfer.
   * @throws what the function threw, copied; {@link RuntimeError} `CLOSED`, `QUEUE_FULL`, `WORKERS_MISSING`, `WORKER_LOST`; the reason of
   * `signal`.
   */
  run<Input, Output>(task: WorkerTask<Input, Output>, input: Input, options?: RunOptions): Promise<Output>;
  /** What runs in this group now. */
  tasks(): readonly TaskInfo[];
  /** Takes no new work, and settles all that runs in this group. Repeating the call waits for the same end. Never rejects. */
  close(options?: RuntimeCloseOptions): Promise<CloseSummary>;
}
