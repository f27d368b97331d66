import type { ErrorPolicy } from "./task.js";

/**
 * What happens in a runtime.
 * - `taskFailed`: a task threw and its policy is not `ignore`. With `close-runtime` the runtime closes from here on.
 * - `taskAbandoned`: a task did not stop within the deadline of a close.
 * - `workersFailed`: a worker thread broke while it had nothing to do; it is replaced when it is needed.
 * - `closing`: no new work from here on; `cause` is the failure that began it, or null.
 * - `closed`: everything has settled, and no thread is left.
 */
export type RuntimeEvent =
  | {
      readonly type: "taskFailed";
      readonly task: string;
      readonly group: string;
      readonly error: unknown;
      readonly policy: Exclude<ErrorPolicy, "ignore">;
    }
  | { readonly type: "taskAbandoned"; readonly task: string; readonly group: string }
  | { readonly type: "workersFailed"; readonly error: unknown }
  | { readonly type: "closing"; readonly cause: unknown }
  | { readonly type: "closed" };
