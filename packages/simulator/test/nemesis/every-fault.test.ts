import { describe, expect, it } from "vitest";
import { type ClusterPlan, type FaultKind, faultKinds, planOf, runCluster } from "../../src/index.js";

/** A quiet cluster of three, with small segments and values that fill them. */
const quiet: Partial<ClusterPlan> = {
  nodes: 3,
  clients: 3,
  remoteClients: 1,
  operations: 90,
  valueBytes: 1_000,
  changes: [],
  meanMsBetweenFaults: 150,
  clockSkewMax: 1_000,
  lossPerMillion: 0,
  repairs: true,
  coreFirst: true,
};
const { tuning } = planOf({ seed: 1 });

/** Seeds until one has struck so often. */
async function strike(kind: FaultKind): Promise<{ strokes: number; failure: string | null }> {
  let strokes = 0;
  for (let seed = 1; seed <= 6; seed++) {
    const plan = { ...quiet, faults: [kind], tuning: { ...tuning, logSegmentBytes: 4_096, snapshotEntries: 0, cacheBytesMax: 1 } };
    const { faults, failure } = await runCluster({ seed, plan });
    if (failure !== null) return { strokes, failure: `seed ${seed}: ${failure.message}` };
    strokes += faults[kind] ?? 0;
    if (strokes > 0) break;
  }
  return { strokes, failure: null };
}

describe("a cluster keeps its promises under", () => {
  it.each(faultKinds)("%s", { timeout: 120_000 }, async (kind) => {
    const { strokes, failure } = await strike(kind);
    expect(failure).toBeNull();
    expect(strokes).toBeGreaterThan(0);
  });
});

it("loses no more disks for good than a minority of the founders can", { timeout: 60_000 }, async () => {
  const faults: FaultKind[] = ["wipedDisk", "rotAtRest", "misdirectedWrite"];
  const { faults: counts, failure } = await runCluster({ seed: 5, plan: { ...quiet, nodes: 5, faults, repairs: false } });
  expect(failure).toBeNull();
  expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(2);
  const alone = await runCluster({ seed: 5, plan: { ...quiet, nodes: 1, faults, operations: 20 } });
  expect(alone).toMatchObject({ faults: {}, failure: null });
});
