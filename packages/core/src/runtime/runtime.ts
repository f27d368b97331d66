import type { Clock, Logger, Scheduler, Timer } from "@octopii/interfaces";
import { systemClock, systemScheduler } from "@octopii/system";
import { createPiscinaPool } from "../adapters/piscina-pool.js";
import { RuntimeError } from "./errors.js";
import { type GroupHost, MemberGroup } from "./member-group.js";
import { type RuntimeConfig, type RuntimeOptions, resolveRuntimeOptions } from "./options.js";
import type { RuntimeEvent } from "./runtime-events.js";
import type { Task, TaskContext, TaskOptions } from "./task.js";
import type { CloseSummary, RuntimeCloseOptions, TaskGroup, TaskInfo } from "./task-group.js";
import type { CreateWorkerPool } from "./worker-pool.js";
import { type RunOptions, WorkerRuns } from "./worker-runs.js";
import type { WorkerTask } from "./worker-task.js";

/** What a runtime is made of. */
export interface RuntimeParts {
  /** Default: the system's. */
  readonly clock?: Clock;
  /** Default: Node's timers and event loop. */
  readonly scheduler?: Scheduler;
  /** Default: silence. */
  readonly logger?: Logger;
  /** Told what happens, synchronously. Must not throw. */
  readonly onEvent?: (event: RuntimeEvent) => void;
  /** Default: threads of piscina, which has to be installed then; loaded at the first `run`. */
  readonly createWorkerPool?: CreateWorkerPool;
}

/** Numbers of a runtime, as they are now. */
export interface RuntimeStats {
  /** Tasks that run. */
  readonly tasks: number;
  /** Calls that a worker runs, or that wait for one. */
  readonly runs: number;
  /** Timers that wait. */
  readonly timers: number;
  /** Turns of the event loop that somebody asked for, since the beginning; of groups that are open. */
  readonly turns: number;
}

/** Options of {@link Runtime.group}. */
export interface GroupOptions {
  /** What the group belongs to closes itself here, in its own order, before a close of the runtime ends the group's tasks. */
  readonly beforeClose?: () => Promise<unknown>;
}

/**
 * Where background work runs: tasks on this thread, which can be joined and cancelled, and functions on worker threads. One node has it for
 * itself, or several share one; the tasks that are spawned on it directly are a group of their own.
 */
export interface Runtime extends TaskGroup {
  /** `closing` from the first call of `close`, or from the failure of a task whose policy is `close-runtime`. */
  readonly state: "open" | "closing" | "closed";
  /** Makes a group. @throws {RuntimeError} `CLOSED`. */
  group(name: string, options?: GroupOptions): TaskGroup;
  stats(): RuntimeStats;
  /** Resolves when the runtime has closed, whoever began that. */
  readonly closed: Promise<CloseSummary>;
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * Makes a runtime. It holds nothing, no thread either, until it is given work.
 * @throws {RuntimeError} `OPTIONS_INVALID`, naming all that is wrong.
 */
export function createRuntime(options: RuntimeOptions = {}, parts: RuntimeParts = {}): Runtime {
  return new GroupedRuntime(resolveRuntimeOptions(options), parts);
}

const nothing = (): void => undefined;
const silence: Logger = { trace: nothing, debug: nothing, info: nothing, warn: nothing, error: nothing };

class GroupedRuntime implements Runtime {
  readonly name = "runtime";
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly closed: Promise<CloseSummary>;
  readonly #config: RuntimeConfig;
  readonly #host: GroupHost;
  readonly #runs: WorkerRuns;
  /** Of what is spawned on the runtime itself. */
  readonly #own: MemberGroup;
  readonly #groups = new Map<MemberGroup, GroupOptions>();
  readonly #onEvent: ((event: RuntimeEvent) => void) | null;
  #state: Runtime["state"] = "open";
  #resolveClosed: (summary: CloseSummary) => void = () => undefined;

  constructor(config: RuntimeConfig, parts: RuntimeParts) {
    const { clock = systemClock, scheduler = systemScheduler, logger = silence, onEvent = null } = parts;
    this.#config = config;
    this.#onEvent = onEvent;
    this.#runs = new WorkerRuns(config, parts.createWorkerPool ?? createPiscinaPool, (error) => {
      logger.warn({ error }, "A worker thread broke while it had nothing to do.");
      this.#tell({ type: "workersFailed", error });
    });
    this.#host = {
      ...{ config, clock, scheduler, logger, runs: this.#runs },
      taskCount: () => this.#sum((group) => group.taskCount),
      tell: (event) => this.#tell(event),
      closeFor: (error) => void this.#begin(error, {}),
      forget: (group) => this.#groups.delete(group),
    };
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#own = this.#add(this.name, {});
    this.clock = clock;
    this.scheduler = this.#own.scheduler;
  }

  get state(): Runtime["state"] {
    return this.#state;
  }

  spawn<Value>(run: (context: TaskContext) => Value | PromiseLike<Value>, options: TaskOptions = {}): Task<Value> {
    this.#expectOpen(options.name ?? "task");
    return this.#own.spawn(run, options);
  }

  async run<Input, Output>(task: WorkerTask<Input, Output>, input: Input, options: RunOptions = {}): Promise<Output> {
    this.#expectOpen(task.name);
    return this.#own.run(task, input, options);
  }

  tasks(): readonly TaskInfo[] {
    return [...this.#groups.keys()].flatMap((group) => group.tasks());
  }

  group(name: string, options: GroupOptions = {}): TaskGroup {
    this.#expectOpen(name);
    return this.#add(name, options);
  }

  stats(): RuntimeStats {
    return {
      tasks: this.#sum((group) => group.taskCount),
      runs: this.#runs.pending,
      timers: this.#sum((group) => group.scheduler.timers),
      turns: this.#sum((group) => group.scheduler.turns),
    };
  }

  close(options: RuntimeCloseOptions = {}): Promise<CloseSummary> {
    return this.#begin(null, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #begin(cause: unknown, options: RuntimeCloseOptions): Promise<CloseSummary> {
    if (this.#state === "open") {
      this.#state = "closing";
      this.#tell({ type: "closing", cause });
      void this.#close(options.deadlineMs ?? this.#config.closeDeadlineMs).then(this.#resolveClosed);
    }
    return this.closed;
  }

  async #close(deadlineMs: number): Promise<CloseSummary> {
    const { clock } = this.#host;
    const deadline = clock.now() + deadlineMs;
    await this.#closeOwners(deadlineMs / 2);
    const left = { deadlineMs: Math.max(0, deadline - clock.now()) };
    const summaries = await Promise.all([...this.#groups.keys()].map((group) => group.close(left)));
    await this.#runs.close().catch((error: unknown) => this.#host.logger.warn({ error }, "Worker threads could not be ended in full."));
    this.#state = "closed";
    this.#tell({ type: "closed" });
    return { abandoned: summaries.flatMap(({ abandoned }) => abandoned) };
  }

  /** Gives those whose groups these are the time to close in their own order. */
  async #closeOwners(limitMs: number): Promise<void> {
    const { logger, scheduler } = this.#host;
    const hooks = [...this.#groups].flatMap(([{ name }, { beforeClose }]) => (beforeClose === undefined ? [] : [{ name, beforeClose }]));
    if (hooks.length === 0) return;
    const closed = hooks.map(async ({ name, beforeClose }) => {
      await beforeClose().catch((error: unknown) => logger.warn({ group: name, error }, "What belongs to a group did not close in full."));
    });
    await new Promise<void>((resolve) => {
      const timer: Timer = scheduler.setTimer(limitMs, resolve);
      void Promise.all(closed).then(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #add(name: string, options: GroupOptions): MemberGroup {
    const group = new MemberGroup(name, this.#host);
    this.#groups.set(group, options);
    return group;
  }

  #sum(numberOf: (group: MemberGroup) => number): number {
    let sum = 0;
    for (const group of this.#groups.keys()) sum += numberOf(group);
    return sum;
  }

  #expectOpen(what: string): void {
    if (this.#state === "open") return;
    throw new RuntimeError("OCTOPII_RUNTIME_CLOSED", `"${what}" cannot run: the runtime is ${this.#state}.`);
  }

  #tell(event: RuntimeEvent): void {
    this.#onEvent?.(event);
  }
}
