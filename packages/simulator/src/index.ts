/**
 * Whole clusters in one process under seeded faults, with oracles that watch every event, and a linearizability checker.
 *
 * @packageDocumentation
 */
export type { ClusterRunOptions, ClusterRunResult } from "./cluster/options.js";
export { runCluster } from "./cluster/run-cluster.js";
export * from "./linearizability/index.js";
export { RaftOracle } from "./oracles/raft-oracle.js";
export { OracleViolation } from "./oracles/violation.js";
