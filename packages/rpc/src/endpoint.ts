import type { Clock, Logger, Scheduler } from "@octopii/interfaces";
import type { DeadlineQueue } from "./deadline-queue.js";
import type { RpcConfig } from "./options.js";
import type { RpcCounters } from "./stats.js";

/** What all clients and all served streams of one `createRpc` share. */
export interface Endpoint {
  readonly config: RpcConfig;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly logger: Logger | null;
  readonly counters: RpcCounters;
  readonly deadlines: DeadlineQueue;
}
