import type { Piscina as PiscinaPool } from "piscina";
import { RuntimeError } from "../runtime/errors.js";
import { type WorkerCall, WorkerLost, type WorkerPool } from "../runtime/worker-pool.js";

/** Threads without work end after this long: starting one takes some 50 ms, keeping one some megabytes. */
const idleTimeoutMs = 30_000;

/**
 * Piscina's threads. It is an optional peer, loaded here and nowhere else: who never calls `run` needs neither the package nor a thread.
 * @throws {RuntimeError} `WORKERS_MISSING` if the package is not installed.
 */
export async function createPiscinaPool(workers: number, onFailure: (error: unknown) => void): Promise<WorkerPool> {
  const { Piscina } = await import("piscina").catch((cause: unknown) => {
    const message = "Worker threads need the package piscina, which is not installed: pnpm add piscina.";
    throw new RuntimeError("OCTOPII_RUNTIME_WORKERS_MISSING", message, { cause });
  });
  // Nothing ever waits in here, for what waits behind a call that is aborted would wait until somebody makes another call.
  const pool = new Piscina({ minThreads: 0, maxThreads: workers, maxQueue: workers, idleTimeout: idleTimeoutMs });
  pool.on("error", onFailure);
  return { run: (call) => runOn(pool, call), close: () => pool.destroy() };
}

async function runOn(pool: PiscinaPool, { module, name, input, transfer, signal }: WorkerCall): Promise<unknown> {
  try {
    return await pool.run(input, { filename: module, name, signal, transferList: [...transfer] as never });
  } catch (error) {
    if (error instanceof Error && error.message.startsWith("worker exited with code")) {
      throw new WorkerLost(error.message, { cause: error });
    }
    throw error;
  }
}
