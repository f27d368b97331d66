import type { TraceRecord } from "@octopii/testing";
import type { HistoryEvent } from "../linearizability/index.js";
import type { ClusterPlan } from "../plan/plan.js";

/** How one simulated cluster is made and treated. Everything that is left out is drawn from the seed. */
export interface ClusterRunOptions {
  readonly seed: number;
  /** What the seed draws from: the name of a profile. Default `swarm`. */
  readonly profile?: string;
  /** Takes the place of what the seed drew. */
  readonly plan?: Partial<ClusterPlan>;
  /** Sees every record of the trace, and what is not part of its hash: what each node said, for people. */
  readonly onTrace?: (record: TraceRecord) => void;
  /** Given the history of the clients at the end, whatever the verdict. */
  // biome-ignore lint/suspicious/noExplicitAny: the same option serves workloads of all sorts
  readonly onHistory?: (events: readonly HistoryEvent<any, any>[]) => void;
}

/** Which promise was broken, and how. */
export interface RunFailure {
  /** Stable, so that a shrunk run can be compared with the original. */
  readonly oracle: string;
  readonly message: string;
}

/** What a run did, and whether every promise was kept. */
export interface ClusterRunResult {
  readonly seed: number;
  readonly profile: string;
  readonly nodes: number;
  /** Client operations, final reads included. */
  readonly operations: number;
  /** Of those, with a certain success. */
  readonly acknowledged: number;
  /** Faults by kind. */
  readonly faults: Readonly<Record<string, number>>;
  /** What the operator asked for by kind, and how much of it was done. */
  readonly changes: Readonly<Record<string, number>>;
  /** What came about: configurations taken into effect, snapshots taken and installed, compactions, and so on. */
  readonly reached: Readonly<Record<string, number>>;
  /** The numbers of the last fault, the last act of the operator, and the last operation: what can be left out ends there. */
  readonly last: { readonly faults: number; readonly changes: number; readonly operations: number };
  /** Null when every oracle was content. */
  readonly failure: RunFailure | null;
  readonly events: number;
  readonly virtualMs: number;
  /** Over everything that happened: equal for equal seeds, whatever the process. */
  readonly hash: string;
}
