import type { Clock, Logger, Scheduler, Timer } from "@octopii/interfaces";
import { RuntimeError } from "./errors.js";
import { GroupScheduler } from "./group-scheduler.js";
import type { RuntimeConfig } from "./options.js";
import { errorPolicies } from "./options.js";
import type { RuntimeEvent } from "./runtime-events.js";
import { FunctionTask, type RunningTask, type Task, type TaskContext, type TaskOptions, type TaskOwner } from "./task.js";
import type { CloseSummary, RuntimeCloseOptions, TaskGroup, TaskInfo } from "./task-group.js";
import type { RunOptions, WorkerRuns } from "./worker-runs.js";
import type { WorkerTask } from "./worker-task.js";

/** What a group has of its runtime. */
export interface GroupHost {
  readonly config: RuntimeConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger;
  readonly runs: WorkerRuns;
  /** Tasks of all groups that run now. */
  taskCount(): number;
  tell(event: RuntimeEvent): void;
  /** A task failed whose policy is to close everything. */
  closeFor(error: unknown): void;
  forget(group: MemberGroup): void;
}

/** The only implementation of {@link TaskGroup}. */
export class MemberGroup implements TaskGroup, TaskOwner {
  readonly name: string;
  readonly clock: Clock;
  readonly scheduler: GroupScheduler;
  readonly #host: GroupHost;
  readonly #tasks = new Set<FunctionTask<unknown>>();
  readonly #endOfRuns = new AbortController();
  #runs = 0;
  #closing: Promise<CloseSummary> | null = null;
  /** Told when nothing runs any more. */
  #onIdle: (() => void) | null = null;

  constructor(name: string, host: GroupHost) {
    this.name = name;
    this.#host = host;
    this.clock = host.clock;
    this.scheduler = new GroupScheduler(host.scheduler);
  }

  get taskCount(): number {
    return this.#tasks.size;
  }

  spawn<Value>(run: (context: TaskContext) => Value | PromiseLike<Value>, options: TaskOptions = {}): Task<Value> {
    const { name = "task", signal, onError = this.#host.config.onError, onClose = "join" } = options;
    if (typeof run !== "function") throw new TypeError(`A task is a function, not ${typeof run}.`);
    if (!errorPolicies.includes(onError))
      throw new TypeError(`onError must be one of ${errorPolicies.join(", ")}, not ${String(onError)}.`);
    this.#admit(name);
    const task = new FunctionTask<Value>({ name, policy: onError, onClose, signal, scheduler: this.scheduler }, this);
    this.#tasks.add(task as FunctionTask<unknown>);
    task.start(run);
    return task;
  }

  async run<Input, Output>(task: WorkerTask<Input, Output>, input: Input, options: RunOptions = {}): Promise<Output> {
    if (this.#closing !== null) throw this.#closedError("failed", task.name);
    this.#runs += 1;
    try {
      const given = task as WorkerTask<unknown, unknown>;
      return (await this.#host.runs.run(given, input, options, this.#endOfRuns.signal)) as Output;
    } finally {
      this.#runs -= 1;
      this.#checkIdle();
    }
  }

  tasks(): readonly TaskInfo[] {
    return [...this.#tasks].map(({ name, status }) => ({ group: this.name, name, status }));
  }

  close(options: RuntimeCloseOptions = {}): Promise<CloseSummary> {
    this.#closing ??= this.#close(options.deadlineMs ?? this.#host.config.closeDeadlineMs);
    return this.#closing;
  }

  settled(task: RunningTask): void {
    this.#tasks.delete(task as FunctionTask<unknown>);
    this.#checkIdle();
  }

  failed({ name, policy }: RunningTask, error: unknown): void {
    const { logger } = this.#host;
    if (policy === "ignore") return logger.debug({ task: name, group: this.name, error }, "A task failed; its owner wants that ignored.");
    logger.error({ task: name, group: this.name, error, policy }, "A task failed.");
    this.#host.tell({ type: "taskFailed", task: name, group: this.name, error, policy });
    if (policy === "close-runtime") this.#host.closeFor(error);
  }

  #admit(name: string): void {
    if (this.#closing !== null) throw this.#closedError("failed", name);
    const { maxTasks } = this.#host.config;
    if (this.#host.taskCount() < maxTasks) return;
    const message = `The task "${name}" was refused: ${maxTasks} tasks run already; raise maxTasks, or find out why they do not end.`;
    throw new RuntimeError("OCTOPII_RUNTIME_TASKS_FULL", message);
  }

  async #close(deadlineMs: number): Promise<CloseSummary> {
    for (const task of this.#tasks) if (task.onClose === "cancel") task.cancel(this.#closedError("unknown", task.name));
    await this.#idleWithin(deadlineMs / 2);
    for (const task of this.#tasks) task.cancel(this.#closedError("unknown", task.name));
    this.#endOfRuns.abort(this.#closedError("unknown", "run"));
    await this.#idleWithin(deadlineMs / 2);
    const abandoned = [...this.#tasks];
    for (const task of abandoned) this.#abandon(task);
    this.scheduler.close();
    this.#host.forget(this);
    return { abandoned: abandoned.map(({ name }) => name) };
  }

  #abandon(task: FunctionTask<unknown>): void {
    task.abandon();
    this.#tasks.delete(task);
    this.#host.logger.warn({ task: task.name, group: this.name }, "A task did not stop within the deadline, and was abandoned.");
    this.#host.tell({ type: "taskAbandoned", task: task.name, group: this.name });
  }

  get #isIdle(): boolean {
    return this.#tasks.size === 0 && this.#runs === 0;
  }

  #checkIdle(): void {
    if (this.#isIdle) this.#onIdle?.();
  }

  /** Resolves when nothing runs any more, or time is up; even for 0, tasks get a turn to stop in. */
  #idleWithin(limitMs: number): Promise<void> {
    if (this.#isIdle) return Promise.resolve();
    return new Promise((resolve) => {
      const timer: Timer = this.#host.scheduler.setTimer(limitMs, () => done());
      const done = (): void => {
        timer.cancel();
        this.#onIdle = null;
        resolve();
      };
      this.#onIdle = done;
    });
  }

  #closedError(outcome: "failed" | "unknown", what: string): RuntimeError {
    return new RuntimeError("OCTOPII_RUNTIME_CLOSED", `"${what}" cannot run: the group "${this.name}" of the runtime is closed.`, {
      outcome,
    });
  }
}
