/** One call for a worker thread. */
export interface WorkerCall {
  readonly module: string;
  readonly name: string;
  readonly input: unknown;
  /** What changes hands instead of being copied. */
  readonly transfer: readonly object[];
  /** Ends the call: one that waits is dropped, one that runs loses its thread. */
  readonly signal: AbortSignal;
}

/** Threads that call functions; what a runtime has by default is made of piscina. */
export interface WorkerPool {
  /** @throws what the function threw; {@link WorkerLost} if its thread ended first; anything once `signal` has aborted. */
  run(call: WorkerCall): Promise<unknown>;
  /** Ends all threads; resolves when they are gone. */
  close(): Promise<void>;
}

/** Makes a pool of `workers` threads, once, at the first call. @param onFailure - told of a thread that breaks without a call. */
export type CreateWorkerPool = (workers: number, onFailure: (error: unknown) => void) => Promise<WorkerPool>;

/** The thread of a call ended before it answered. */
export class WorkerLost extends Error {}
