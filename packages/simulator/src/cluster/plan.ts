import type { NodeOptions } from "@octopii/core";
import { createRandom, type SeededRandom } from "@octopii/testing";
import type { ClusterRunOptions } from "./options.js";

/** The faults that a run may draw from. Each seed leaves some out, so that rare mixtures come up too. */
export const faultKinds = [
  "power",
  "kill",
  "close",
  "pause",
  "halves",
  "isolate",
  "deaf",
  "mute",
  "clog",
  "loss",
  "slowDisk",
  "blackout",
  "skew",
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** What an operator may ask for while a run goes on. Each seed leaves some out here as well. */
export const changeKinds = ["learner", "voter", "demote", "remove", "replace", "transfer", "campaign", "snapshot"] as const;

export type ChangeKind = (typeof changeKinds)[number];

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

/** All that a seed decides before the run begins. */
export interface ClusterPlan {
  /** Founders. */
  readonly nodes: number;
  /** Machines that are there besides, and may join. */
  readonly spares: number;
  /** So many of them are made learners as soon as there is a leader. */
  readonly learners: number;
  readonly clients: number;
  readonly keys: number;
  /** What values are filled up with, so that snapshots and logs have some size. */
  readonly valueBytes: number;
  readonly operations: number;
  readonly faults: readonly FaultKind[];
  readonly meanMsBetweenFaults: number;
  readonly changes: readonly ChangeKind[];
  readonly meanMsBetweenChanges: number;
  readonly lossPerMillion: number;
  readonly meanDelayMs: number;
  readonly streamWindowBytes: number;
  /** By how much a clock may gain or lose against the world, in parts per million. */
  readonly clockSkewMax: number;
  /** Ticks that nodes wait on top of their election timeout; each draws one of these. */
  readonly electionDelays: readonly number[];
  readonly tuning: NodeTuning;
}

/** Draws a plan. The draws are always the same number, so overriding one leaves the others as they were. */
export function drawPlan(options: ClusterRunOptions): ClusterPlan {
  const random = createRandom(`${options.seed}/plan`);
  const membership = random.fork("membership");
  const learners = membership.pick([0, 0, 1, 2]);
  const drawn = {
    nodes: random.pick([1, 3, 3, 3, 3, 3, 5, 5]),
    spares: learners + membership.pick([0, 1, 2, 3]),
    learners,
    clients: random.between(1, 4),
    keys: random.between(1, 5),
    valueBytes: membership.pick([0, 0, 0, 4_000]),
    operations: random.between(100, 300),
    faults: drawSome(random.fork("faults"), faultKinds),
    meanMsBetweenFaults: random.pick([200, 600, 2_000]),
    changes: drawSome(membership.fork("changes"), changeKinds),
    meanMsBetweenChanges: membership.pick([100, 300, 1_000, 3_000]),
    lossPerMillion: random.pick([0, 0, 10_000, 100_000]),
    meanDelayMs: random.pick([0.2, 1, 5]),
    streamWindowBytes: membership.pick([4_096, 256 * 1024]),
    electionDelays: membership.pick([[0], [0], [0, 5], [0, 3, 20]]),
    ...drawTuning(random.fork("tuning")),
  };
  return { ...drawn, nodes: options.nodes ?? drawn.nodes, operations: options.operations ?? drawn.operations };
}

function drawTuning(random: SeededRandom): { clockSkewMax: number; tuning: NodeTuning } {
  const leaseReads = random.chance(1, 3);
  const clockDriftMax = random.pick([0.02, 0.1, 0.3]);
  const tuning = {
    logSegmentBytes: random.pick([4096, 16_384, 64 * 1024 * 1024]),
    cacheBytesMax: random.pick([1, 2000, 64 * 1024 * 1024]),
    appendBytesMax: random.pick([1, 500, 1024 * 1024]),
    applyBytesMax: random.pick([1, 4 * 1024 * 1024]),
    inflightCountMax: random.pick([1, 4, 256]),
    eagerAppendsMax: random.pick([1, 4, 1_000_000]),
    preVote: random.chance(3, 4),
    leaseReads,
    clockDriftMax,
    snapshotEntries: random.pick([0, 3, 20, 200]),
    snapshotBytes: 0,
    tailEntries: random.pick([0, 2, 50]),
    snapshotBytesPerSecond: random.pick([0, 2_000, 64 * 1024 * 1024]),
  };
  // Two clocks then differ by no more than the share that leases allow for: (1 - d)(1 + d/2) < 1 - d/2.
  const leaseSkew = Math.floor((clockDriftMax / 2) * 1_000_000);
  return { clockSkewMax: leaseReads ? leaseSkew : random.pick([0, 1_000, 200_000]), tuning };
}

function drawSome<Kind>(random: SeededRandom, kinds: readonly Kind[]): Kind[] {
  return kinds.filter(() => random.chance(1, 2));
}
