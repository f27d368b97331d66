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
] as const;

export type FaultKind = (typeof faultKinds)[number];

/** All that a seed decides before the run begins. */
export interface ClusterPlan {
  readonly nodes: number;
  readonly clients: number;
  readonly keys: number;
  readonly operations: number;
  readonly faults: readonly FaultKind[];
  readonly meanMsBetweenFaults: number;
  readonly lossPerMillion: number;
  readonly meanDelayMs: number;
  readonly logSegmentBytes: number;
  readonly cacheBytesMax: number;
  readonly appendBytesMax: number;
  readonly inflightCountMax: number;
  readonly preVote: boolean;
}

/** Draws a plan. The draws are always the same number, so overriding one leaves the others as they were. */
export function drawPlan(options: ClusterRunOptions): ClusterPlan {
  const random = createRandom(`${options.seed}/plan`);
  const drawn = {
    nodes: random.pick([1, 3, 3, 3, 3, 3, 5, 5]),
    clients: random.between(1, 4),
    keys: random.between(1, 5),
    operations: random.between(100, 300),
    faults: drawFaults(random.fork("faults")),
    meanMsBetweenFaults: random.pick([200, 600, 2_000]),
    lossPerMillion: random.pick([0, 0, 10_000, 100_000]),
    meanDelayMs: random.pick([0.2, 1, 5]),
    logSegmentBytes: random.pick([4096, 16_384, 64 * 1024 * 1024]),
    cacheBytesMax: random.pick([1, 2000, 64 * 1024 * 1024]),
    appendBytesMax: random.pick([1, 500, 1024 * 1024]),
    inflightCountMax: random.pick([1, 4, 256]),
    preVote: random.chance(3, 4),
  };
  return { ...drawn, nodes: options.nodes ?? drawn.nodes, operations: options.operations ?? drawn.operations };
}

function drawFaults(random: SeededRandom): FaultKind[] {
  return faultKinds.filter(() => random.chance(1, 2));
}
