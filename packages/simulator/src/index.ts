/**
 * Whole clusters in one process under seeded faults, with oracles that watch every event, and a linearizability checker.
 *
 * @packageDocumentation
 */
export * from "./linearizability/index.js";
export { RaftOracle } from "./oracles/raft-oracle.js";
export { OracleViolation } from "./oracles/violation.js";
export { type ChangeKind, changeKinds, type FaultKind, faultKinds } from "./plan/kinds.js";
export type { ClusterPlan, Kept, NodeTuning } from "./plan/plan.js";
export { type Profile, profiles } from "./plan/profiles.js";
export { planOf, runCluster } from "./run/cluster-run.js";
export type { ClusterRunOptions, ClusterRunResult, RunFailure } from "./run/options.js";
export { type Attempt, type ShrinkLimits, type Shrunk, shrink, type Trial } from "./runner/shrink.js";
export type { DrawContext, Workload } from "./service/service.js";
export { type SimulateOptions, simulate } from "./simulate.js";
export { type PageContent, renderPage } from "./viewer/page.js";
