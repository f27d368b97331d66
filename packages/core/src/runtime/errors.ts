import type { CodedError, Outcome } from "@octopii/interfaces";

/**
 * - `OPTIONS_INVALID`: the options contradict each other; the message lists every problem.
 * - `CLOSED`: the runtime, or the group, is closing or closed. What had not begun did not happen; of work that a worker had begun, that is
 *   not known (`outcome`).
 * - `TASK_CANCELLED`: the task was cancelled and stopped; `cause` is the reason.
 * - `TASK_ABANDONED`: the task did not stop within the deadline of the close, and nobody waits for it any more. It may still run.
 * - `TASKS_FULL`: `maxTasks` are running.
 * - `QUEUE_FULL`: as many calls as `maxQueuedRuns` allows wait for a worker. Slow down, or have more workers.
 * - `WORKERS_MISSING`: the runtime has no workers, or the package that makes them is not installed.
 * - `WORKER_LOST`: the thread ended before it answered: the function called `process.exit`, or ran out of memory.
 */
export type RuntimeErrorCode =
  | "OCTOPII_RUNTIME_OPTIONS_INVALID"
  | "OCTOPII_RUNTIME_CLOSED"
  | "OCTOPII_RUNTIME_TASK_CANCELLED"
  | "OCTOPII_RUNTIME_TASK_ABANDONED"
  | "OCTOPII_RUNTIME_TASKS_FULL"
  | "OCTOPII_RUNTIME_QUEUE_FULL"
  | "OCTOPII_RUNTIME_WORKERS_MISSING"
  | "OCTOPII_RUNTIME_WORKER_LOST";

export interface RuntimeErrorOptions {
  /** Default `failed`. */
  readonly outcome?: Outcome;
  readonly cause?: unknown;
}

/** An expected refusal by a runtime. Test the `code`, best by {@link isRuntimeError}. */
export class RuntimeError extends Error implements CodedError {
  readonly code: RuntimeErrorCode;
  readonly outcome: Outcome;

  constructor(code: RuntimeErrorCode, message: string, options: RuntimeErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RuntimeError";
    this.code = code;
    this.outcome = options.outcome ?? "failed";
  }
}

/** Whether `error` is a {@link RuntimeError}, by shape, so that it works across copies of this package. */
export function isRuntimeError(error: unknown, code?: RuntimeErrorCode): error is RuntimeError {
  if (!(error instanceof Error) || error.name !== "RuntimeError") return false;
  return code === undefined || (error as RuntimeError).code === code;
}
