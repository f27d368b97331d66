import { describe, expect, it } from "vitest";
import { type Attempt, type ClusterPlan, planOf, shrink } from "../../src/index.js";

const drawn = planOf({ seed: 1, plan: { nodes: 5, operations: 200, clients: 4, remoteClients: 0, keys: 5 } });
const last = { faults: 40, changes: 20, operations: 200 };
const limits = { attempts: 2_000, isOver: () => false };

const has = (numbers: readonly number[] | null, number: number): boolean => numbers?.includes(number) ?? true;

/** Fails if the faults 7 and 23 and the operation 9 are done, on three nodes at least; with another oracle on a single node. */
const attempt: Attempt = async (plan: ClusterPlan) => {
  const { keep, operations, nodes } = plan;
  const isHit = has(keep.faults, 7) && has(keep.faults, 23) && has(keep.operations, 9) && operations >= 9;
  const oracle = nodes === 1 ? "another" : "commit";
  return { failure: isHit ? { oracle, message: oracle } : null, last, faults: {}, changes: {}, events: 0 };
};

describe("shrinking", () => {
  it("finds what a failure needs, and nothing else", async () => {
    const shrunk = await shrink(drawn, { oracle: "commit", message: "" }, attempt, limits);
    expect(shrunk?.plan).toMatchObject({ nodes: 3, clients: 1, keys: 1, keep: { faults: [7, 23], changes: [], operations: [9] } });
    expect(shrunk?.plan.operations).toBeLessThan(25);
    expect(shrunk?.trial.failure?.oracle).toBe("commit");
  });

  it("gives up on what does not fail again, and stops when it is told to", async () => {
    expect(await shrink(drawn, { oracle: "another", message: "" }, attempt, limits)).toBeNull();
    const few = await shrink(drawn, { oracle: "commit", message: "" }, attempt, { ...limits, attempts: 10 });
    expect(few?.attempts).toBe(10);
  });
});
