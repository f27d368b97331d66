import { parentPort } from "node:worker_threads";
import { runCluster } from "../cluster/run-cluster.js";

/** The life of a thread: it is sent a seed, runs it, answers with the result, and waits for the next. */
export function serveSeeds(): void {
  parentPort?.on("message", (seed: number) => {
    void runCluster({ seed }).then((result) => parentPort?.postMessage(result));
  });
}
