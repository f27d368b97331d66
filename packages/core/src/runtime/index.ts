/**
 * Where background work runs: tasks that can be joined and cancelled, and worker threads for CPU work. For programs that want it without a
 * node; `@octopii/core` exports the same.
 *
 * @packageDocumentation
 */
export { isRuntimeError, RuntimeError, type RuntimeErrorCode, type RuntimeErrorOptions } from "./errors.js";
export { type RuntimeConfig, type RuntimeOptions, resolveRuntimeOptions, runtimeDefaults } from "./options.js";
export { createRuntime, type GroupOptions, type Runtime, type RuntimeParts, type RuntimeStats } from "./runtime.js";
export type { RuntimeEvent } from "./runtime-events.js";
export type { ErrorPolicy, Task, TaskContext, TaskOptions, TaskStatus } from "./task.js";
export type { CloseSummary, RuntimeCloseOptions, TaskGroup, TaskInfo } from "./task-group.js";
export { type CreateWorkerPool, type WorkerCall, WorkerLost, type WorkerPool } from "./worker-pool.js";
export type { RunOptions } from "./worker-runs.js";
export { defineWorkerTask, type Transferred, transferred, type WorkerTask } from "./worker-task.js";
