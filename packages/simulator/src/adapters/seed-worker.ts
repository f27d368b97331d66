import { parentPort } from "node:worker_threads";
import { runCluster } from "../run/cluster-run.js";
import type { ClusterRunOptions } from "../run/options.js";

/** The life of a thread: it is sent a run, does it, answers with the result, and waits for the next. */
export function serveSeeds(): void {
  parentPort?.on("message", (options: ClusterRunOptions) => {
    void runCluster(options).then((result) => parentPort?.postMessage(result));
  });
}
