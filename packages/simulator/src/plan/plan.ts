import type { NodeOptions } from "@octopii/core";
import type { ChangeKind, FaultKind } from "./kinds.js";

/** Options that are the same on every node of a run. */
export type NodeTuning = Pick<
  NodeOptions,
  | "logSegmentBytes"
  | "cacheBytesMax"
  | "appendBytesMax"
  | "applyBytesMax"
  | "inflightCountMax"
  | "eagerAppendsMax"
  | "preVote"
  | "leaseReads"
  | "clockDriftMax"
  | "snapshotEntries"
  | "snapshotBytes"
  | "tailEntries"
  | "snapshotBytesPerSecond"
>;

/**
 * What of a run is done, by the numbers that the run itself gives its faults, its operator's acts and its clients' operations; the others are
 * left out. Null: all of them. That is how a failure is shrunk.
 */
export interface Kept {
  readonly faults: readonly number[] | null;
  readonly changes: readonly number[] | null;
  readonly operations: readonly number[] | null;
}

/** Whether what has this number is done. */
export const isKept = (numbers: readonly number[] | null, number: number): boolean => numbers?.includes(number) ?? true;

/** All that is decided before a run begins: plain data, so that a run can be written down, changed and repeated. */
export interface ClusterPlan {
  /** Founders. */
  readonly nodes: number;
  /** Machines that are there besides, and may join. */
  readonly spares: number;
  /** So many of them are made learners as soon as there is a leader. */
  readonly learners: number;
  readonly clients: number;
  /** So many of them are programs on machines of their own, that speak to the cluster over the network. */
  readonly remoteClients: number;
  readonly keys: number;
  /** What values are filled up with, so that snapshots and logs have some size. */
  readonly valueBytes: number;
  readonly operations: number;
  readonly faults: readonly FaultKind[];
  readonly meanMsBetweenFaults: number;
  readonly changes: readonly ChangeKind[];
  readonly meanMsBetweenChanges: number;
  readonly lossPerMillion: number;
  readonly duplicatePerMillion: number;
  readonly meanDelayMs: number;
  readonly streamWindowBytes: number;
  /** By how much a clock may gain or lose against the world, in parts per million. */
  readonly clockSkewMax: number;
  /** Ticks that nodes wait on top of their election timeout; each draws one of these. */
  readonly electionDelays: readonly number[];
  /** Whether, where the voters allow it, the cluster must first get along without those that are not needed for a quorum. */
  readonly coreFirst: boolean;
  /** Whether members that have lost their logs are replaced by new ones. */
  readonly repairs: boolean;
  readonly tuning: NodeTuning;
  /** Each node changes some of the tuning for itself, as clusters are in the middle of a roll-out. */
  readonly mixed: boolean;
  readonly keep: Kept;
}
