import { RuntimeError } from "./errors.js";
import { Slots } from "./slots.js";
import { type CreateWorkerPool, WorkerLost, type WorkerPool } from "./worker-pool.js";
import type { WorkerTask } from "./worker-task.js";

/** Options of `run`. */
export interface RunOptions {
  /** Buffers and ports of the input that change hands instead of being copied; they cannot be used here any more. */
  readonly transfer?: readonly object[];
  /** Ends the call: one that waits never begins, one that runs loses its thread. It rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** The calls of a runtime's worker threads: how many there may be, and how each ends. The pool is made at the first of them. */
export class WorkerRuns {
  readonly #workers: number;
  readonly #maxQueued: number;
  readonly #createPool: CreateWorkerPool;
  readonly #onFailure: (error: unknown) => void;
  #pool: Promise<WorkerPool> | null = null;
  #pending = 0;
  readonly #slots: Slots;

  constructor(
    limits: { readonly workers: number; readonly maxQueuedRuns: number },
    createPool: CreateWorkerPool,
    onFailure: (error: unknown) => void,
  ) {
    this.#workers = limits.workers;
    this.#maxQueued = limits.maxQueuedRuns;
    this.#createPool = createPool;
    this.#onFailure = onFailure;
    this.#slots = new Slots(limits.workers);
  }

  /** Calls that run or wait. */
  get pending(): number {
    return this.#pending;
  }

  async run(task: WorkerTask<unknown, unknown>, input: unknown, options: RunOptions, closing: AbortSignal): Promise<unknown> {
    options.signal?.throwIfAborted();
    this.#admit(task);
    this.#pending += 1;
    const call = new AbortController();
    const onAbort = (): void => call.abort(options.signal?.reason);
    const onClose = (): void => call.abort(closing.reason);
    options.signal?.addEventListener("abort", onAbort, { once: true });
    closing.addEventListener("abort", onClose, { once: true });
    try {
      await this.#slots.take(call.signal);
      try {
        const pool = await this.#open();
        call.signal.throwIfAborted();
        const { module, name } = task;
        return await pool.run({ module, name, input, transfer: options.transfer ?? [], signal: call.signal });
      } finally {
        this.#slots.give();
      }
    } catch (error) {
      if (call.signal.aborted) throw call.signal.reason;
      throw error instanceof WorkerLost ? lost(task, error) : error;
    } finally {
      this.#pending -= 1;
      options.signal?.removeEventListener("abort", onAbort);
      closing.removeEventListener("abort", onClose);
    }
  }

  /** Ends the threads. Nothing may be pending any more. */
  async close(): Promise<void> {
    const pool = await this.#pool?.catch(() => null);
    await pool?.close();
  }

  #admit(task: WorkerTask<unknown, unknown>): void {
    if (this.#workers === 0) {
      const message = "The runtime was made without workers; give it some by the option workers.";
      throw new RuntimeError("OCTOPII_RUNTIME_WORKERS_MISSING", message);
    }
    if (this.#pending < this.#workers + this.#maxQueued) return;
    const message = `"${task.name}" was refused: ${this.#maxQueued} calls wait for a worker already. Slow down, or have more workers.`;
    throw new RuntimeError("OCTOPII_RUNTIME_QUEUE_FULL", message);
  }

  #open(): Promise<WorkerPool> {
    this.#pool ??= this.#createPool(this.#workers, this.#onFailure).catch((error: unknown) => {
      // Somebody may install what is missing.
      this.#pool = null;
      throw error;
    });
    return this.#pool;
  }
}

function lost(task: WorkerTask<unknown, unknown>, cause: Error): RuntimeError {
  const message = `The thread that ran "${task.name}" ended before it answered: its function must not exit, nor run out of memory.`;
  return new RuntimeError("OCTOPII_RUNTIME_WORKER_LOST", message, { outcome: "unknown", cause });
}
