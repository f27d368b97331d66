import { createRandom, type SeededRandom } from "@octopii/testing";
import { type ChangeKind, type FaultKind, harmlessChanges, isDamaging } from "./kinds.js";
import type { ClusterPlan, Kept, NodeTuning } from "./plan.js";
import type { Profile } from "./profiles.js";

const everything: Kept = { faults: null, changes: null, operations: null };

/**
 * Draws a plan. Everything comes from its own numbers, so overriding one value leaves the others as they were.
 * @param given - takes the place of what was drawn.
 */
export function drawPlan(seed: number, profile: Profile, given: Partial<ClusterPlan> = {}): ClusterPlan {
  const random = createRandom(`${seed}/plan`);
  const of = (name: string): SeededRandom => random.fork(name);
  const membership = of("membership");
  const learners = profile.changes.includes("learner") ? membership.pick([0, 0, 1, 2]) : membership.pick([0, 0, 0, 1]);
  const clients = of("clients").between(1, 4);
  // Members that lose their logs rule changes of membership out, so most seeds go without.
  const mayDamage = profile.damageAlways || of("damage").chance(1, 4);
  const faults = drawSome(of("faults"), mayDamage ? profile.faults : profile.faults.filter((kind) => !isDamaging(kind)));
  const plan: ClusterPlan = {
    nodes: of("nodes").pick(profile.sizes),
    spares: learners + membership.pick([0, 1, 2, 3]),
    learners,
    clients,
    remoteClients: of("remote clients").pick([0, 0, 1, clients]),
    keys: of("keys").between(1, 5),
    valueBytes: membership.pick([0, 0, 0, 4_000]),
    operations: of("operations").between(...profile.operations),
    faults,
    meanMsBetweenFaults: of("fault rate").pick([200, 600, 2_000]),
    changes: drawChanges(membership.fork("changes"), profile.changes, faults),
    meanMsBetweenChanges: membership.pick([100, 300, 1_000, 3_000]),
    lossPerMillion: of("loss").pick([0, 0, 10_000, 100_000]),
    duplicatePerMillion: of("duplicates").pick([0, 0, 10_000, 300_000]),
    meanDelayMs: of("delay").pick([0.2, 1, 5]),
    streamWindowBytes: membership.pick([4_096, 256 * 1024]),
    electionDelays: membership.pick([[0], [0], [0, 5], [0, 3, 20]]),
    coreFirst: of("core first").chance(1, 2),
    repairs: of("repairs").chance(1, 2),
    mixed: of("mixed").chance(1, 5),
    keep: everything,
    ...drawTuning(of("tuning")),
  };
  return { ...plan, ...given };
}

function drawTuning(random: SeededRandom): { clockSkewMax: number; tuning: NodeTuning } {
  const leaseReads = random.chance(1, 3);
  const clockDriftMax = random.pick([0.02, 0.1, 0.3]);
  const tuning = {
    ...drawLimits(random.fork("limits")),
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

/** Limits that nodes of one cluster may differ in. */
export function drawLimits(random: SeededRandom): Partial<NodeTuning> {
  return {
    logSegmentBytes: random.pick([4096, 16_384, 64 * 1024 * 1024]),
    cacheBytesMax: random.pick([1, 2000, 64 * 1024 * 1024]),
    appendBytesMax: random.pick([1, 500, 1024 * 1024]),
    applyBytesMax: random.pick([1, 4 * 1024 * 1024]),
    inflightCountMax: random.pick([1, 4, 256]),
    eagerAppendsMax: random.pick([1, 4, 1_000_000]),
  };
}

/** Where disks are lost for good, the voters are left alone: the atlas counts on them. */
function drawChanges(random: SeededRandom, kinds: readonly ChangeKind[], faults: readonly FaultKind[]): ChangeKind[] {
  const drawn = drawSome(random, kinds);
  const isHarmless = (kind: ChangeKind): boolean => (harmlessChanges as readonly string[]).includes(kind);
  return faults.some(isDamaging) ? drawn.filter(isHarmless) : drawn;
}

function drawSome<Kind>(random: SeededRandom, kinds: readonly Kind[]): Kind[] {
  // A third of all seeds has few kinds, and so much of each; the rest has about half of them.
  const [numerator, denominator] = random.pick([
    [1, 6],
    [1, 2],
    [1, 2],
  ] as const);
  return kinds.filter(() => random.chance(numerator, denominator));
}
