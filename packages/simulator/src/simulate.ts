import type { StateMachine } from "@octopii/core";
import type { TraceRecord } from "@octopii/testing";
import type { HistoryEvent } from "./linearizability/index.js";
import { type ChangeKind, changeKinds, type FaultKind, faultKinds } from "./plan/kinds.js";
import type { ClusterPlan } from "./plan/plan.js";
import { planOf, runService } from "./run/cluster-run.js";
import type { ClusterRunResult } from "./run/options.js";
import type { Workload } from "./service/service.js";

/** A cluster of your own state machine, and what befalls it. */
export interface SimulateOptions<Input, Output> {
  /** Everything random follows from it: the same seed gives the same run. */
  readonly seed: number;
  /** A fresh state machine, for each start of each node. It needs `snapshot` and `restore` if it is to be tested with them. */
  readonly stateMachine: () => StateMachine;
  /** What clients ask for, and how their answers are judged. */
  readonly workload: Workload<Input, Output>;
  /** Founders: 1 to 9. Default: drawn from the seed. */
  readonly nodes?: number;
  /** Operations of all clients together. Default: 100 to 300, as the seed has it. */
  readonly operations?: number;
  /** The faults to draw from. Default: all; each seed leaves some out. With `[]` there are none. */
  readonly faults?: readonly FaultKind[];
  /** What an operator asks for besides. Default: all kinds, of which each seed leaves some out. */
  readonly changes?: readonly ChangeKind[];
  /** A state as a text, the same for equal states. Default: replicas' states are not compared with each other. */
  readonly digest?: (machine: StateMachine) => string;
  /** Takes the place of anything else that the seed draws: limits, delays, snapshots. */
  readonly plan?: Partial<ClusterPlan>;
  /** Sees every record of the trace. */
  readonly onTrace?: (record: TraceRecord) => void;
  /** Given the clients' history at the end. */
  readonly onHistory?: (events: readonly HistoryEvent<Input, Output>[]) => void;
}

/** A founder for each of at most so many lanes; more tell nothing new. */
const nodesMax = 9;

/**
 * Runs a cluster of `stateMachine` in one process, in virtual time, under the faults that the seed draws, with clients that do what `workload`
 * says; heals it, and checks that every promise of Raft, of the log and of linearizability was kept. For a test runner: one call per seed.
 * Never throws for what the cluster did: that is `failure` in the result. @throws {RangeError} for options that make no sense.
 */
export async function simulate<Input, Output>(options: SimulateOptions<Input, Output>): Promise<ClusterRunResult> {
  const { seed, stateMachine, workload, digest, onTrace, onHistory } = options;
  check(options);
  const run = { seed, ...(onTrace !== undefined && { onTrace }), ...(onHistory !== undefined && { onHistory }) };
  const plan = { ...planOf(run), ...given(options), ...options.plan };
  return runService(run, plan, { stateMachine, workload, ...(digest !== undefined && { digest }) });
}

function given<Input, Output>({ nodes, operations, faults, changes }: SimulateOptions<Input, Output>): Partial<ClusterPlan> {
  return {
    ...(nodes !== undefined && { nodes }),
    ...(operations !== undefined && { operations }),
    ...(faults !== undefined && { faults }),
    ...(changes !== undefined && { changes }),
  };
}

function check<Input, Output>({ seed, nodes, operations, faults, changes }: SimulateOptions<Input, Output>): void {
  const problems: string[] = [];
  if (!Number.isSafeInteger(seed)) problems.push(`seed must be a whole number, not ${String(seed)}`);
  if (nodes !== undefined && !(Number.isInteger(nodes) && nodes >= 1 && nodes <= nodesMax))
    problems.push(`nodes must be a whole number from 1 to ${nodesMax}, not ${String(nodes)}`);
  if (operations !== undefined && !(Number.isSafeInteger(operations) && operations >= 0))
    problems.push(`operations must be a whole number from 0, not ${String(operations)}`);
  for (const kind of faults ?? []) if (!faultKinds.includes(kind)) problems.push(`there is no fault ${kind}`);
  for (const kind of changes ?? []) if (!changeKinds.includes(kind)) problems.push(`there is no change ${kind}`);
  if (problems.length > 0) throw new RangeError(`This cannot be simulated: ${problems.join("; ")}.`);
}
