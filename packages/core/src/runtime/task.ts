import type { Outcome, Scheduler } from "@octopii/interfaces";
import { RuntimeError } from "./errors.js";

/**
 * What happens when a task fails. `report`: it is logged and told as an event. `close-runtime`: that, and the whole runtime closes in good
 * order. `ignore`: only who joins the task hears of it. A task that was cancelled has not failed.
 */
export type ErrorPolicy = "report" | "ignore" | "close-runtime";

/**
 * `running` until the function has settled, also while a cancellation is under way; `succeeded`, `failed`, `cancelled`; `abandoned` if it
 * outlived the close of its runtime.
 */
export type TaskStatus = "running" | "succeeded" | "failed" | "cancelled" | "abandoned";

/** What the function of a task is given. */
export interface TaskContext {
  readonly name: string;
  /** Aborts when the task is cancelled. Pass it on to whatever waits. */
  readonly signal: AbortSignal;
  /** Waits on the runtime's own time. Rejects with the signal's reason if the task is cancelled meanwhile. */
  sleep(delayMs: number): Promise<void>;
}

/** Options of `spawn`. */
export interface TaskOptions {
  /** For logs, events and status. Default `task`. */
  readonly name?: string;
  /** Cancels the task when it aborts. */
  readonly signal?: AbortSignal;
  /** Default: the runtime's. */
  readonly onError?: ErrorPolicy;
  /**
   * What a close does first. `join`: it waits, for half of its deadline, and cancels then: for work that should come to its end. `cancel`: it
   * cancels at once: for loops, which have no end. Default `join`.
   */
  readonly onClose?: "join" | "cancel";
}

/** A function that runs on a runtime. */
export interface Task<Value> {
  readonly name: string;
  readonly status: TaskStatus;
  /**
   * Resolves with what the function gave. Any number of callers may join; that one does not wait any more (`signal`) leaves the task alone.
   * @throws what the function threw; {@link RuntimeError} `TASK_CANCELLED`, `TASK_ABANDONED`.
   */
  join(options?: { readonly signal?: AbortSignal }): Promise<Value>;
  /** Asks the function to stop, by its signal. What it gives all the same counts. Does nothing once it has settled. */
  cancel(reason?: unknown): void;
}

/** Hears how a task ends. Called once; not for one that was abandoned before. */
export interface TaskOwner {
  settled(task: RunningTask): void;
  failed(task: RunningTask, error: unknown): void;
}

/** {@link Task}, from the side of its group, which does not care for its value. */
export interface RunningTask {
  readonly name: string;
  readonly policy: ErrorPolicy;
  readonly onClose: "join" | "cancel";
  cancel(reason?: unknown): void;
  /** Nobody waits any more: whoever joined is told that the outcome is unknown. */
  abandon(): void;
}

/** How a task is to be run. */
export interface TaskPlan {
  readonly name: string;
  readonly policy: ErrorPolicy;
  readonly onClose: "join" | "cancel";
  readonly signal: AbortSignal | undefined;
  readonly scheduler: Scheduler;
}

/** A function under way. It has begun, and run up to its first `await`, when {@link start} returns. */
export class FunctionTask<Value> implements Task<Value>, RunningTask {
  readonly name: string;
  readonly policy: ErrorPolicy;
  readonly onClose: "join" | "cancel";
  readonly #owner: TaskOwner;
  readonly #scheduler: Scheduler;
  readonly #outerSignal: AbortSignal | undefined;
  readonly #abort = new AbortController();
  readonly #onOuterAbort = (): void => this.cancel(this.#outerSignal?.reason);
  #status: TaskStatus = "running";
  #resolve: (value: Value) => void = () => undefined;
  #reject: (error: unknown) => void = () => undefined;
  readonly #settled = new Promise<Value>((resolve, reject) => {
    this.#resolve = resolve;
    this.#reject = reject;
  });

  constructor(plan: TaskPlan, owner: TaskOwner) {
    this.name = plan.name;
    this.policy = plan.policy;
    this.onClose = plan.onClose;
    this.#scheduler = plan.scheduler;
    this.#owner = owner;
    this.#outerSignal = plan.signal;
    // A failure that nobody joins is the policy's to tell; it must not end the process.
    this.#settled.catch(() => undefined);
  }

  get status(): TaskStatus {
    return this.#status;
  }

  start(run: (context: TaskContext) => Value | PromiseLike<Value>): void {
    const { signal } = this.#abort;
    if (this.#outerSignal?.aborted === true) return this.#neverBegun(this.#outerSignal.reason);
    this.#outerSignal?.addEventListener("abort", this.#onOuterAbort, { once: true });
    const context = { name: this.name, signal, sleep: (delayMs: number) => sleep(this.#scheduler, delayMs, signal) };
    // An async function, so that what `run` throws at once is a rejection like any other.
    (async () => run(context))().then(
      (value) => this.#succeeded(value),
      (error: unknown) => this.#failed(error),
    );
  }

  join(options: { readonly signal?: AbortSignal } = {}): Promise<Value> {
    const { signal } = options;
    if (signal === undefined) return this.#settled;
    if (signal.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => reject(signal.reason);
      signal.addEventListener("abort", onAbort, { once: true });
      this.#settled.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
    });
  }

  cancel(reason?: unknown): void {
    if (this.#status === "running" && !this.#abort.signal.aborted) this.#abort.abort(reason);
  }

  abandon(): void {
    const message = `The task "${this.name}" did not stop before the deadline of the close; it may still run. Let it watch its signal.`;
    this.#end("abandoned");
    this.#reject(new RuntimeError("OCTOPII_RUNTIME_TASK_ABANDONED", message, { outcome: "unknown" }));
  }

  #succeeded(value: Value): void {
    if (this.#status !== "running") return;
    this.#end("succeeded");
    this.#resolve(value);
    this.#owner.settled(this);
  }

  #failed(error: unknown): void {
    if (this.#status !== "running") return;
    const { aborted, reason } = this.#abort.signal;
    this.#end(aborted ? "cancelled" : "failed");
    // If it had more to say than that it stopped, that is the better cause.
    this.#reject(aborted ? this.#cancelled("unknown", error ?? reason) : error);
    if (!aborted) this.#owner.failed(this, error);
    this.#owner.settled(this);
  }

  #neverBegun(reason: unknown): void {
    this.#end("cancelled");
    this.#reject(this.#cancelled("failed", reason));
    this.#owner.settled(this);
  }

  #cancelled(outcome: Outcome, cause: unknown): RuntimeError {
    return new RuntimeError("OCTOPII_RUNTIME_TASK_CANCELLED", `The task "${this.name}" was cancelled.`, { outcome, cause });
  }

  #end(status: TaskStatus): void {
    this.#status = status;
    this.#outerSignal?.removeEventListener("abort", this.#onOuterAbort);
  }
}

function sleep(scheduler: Scheduler, delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      timer.cancel();
      reject(signal.reason);
    };
    const timer = scheduler.setTimer(delayMs, () => {
      signal.removeEventListener("abort", onAbort);
      resolve();
    });
    signal.addEventListener("abort", onAbort, { once: true });
  });
}
