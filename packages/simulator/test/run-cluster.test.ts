import { describe, expect, it } from "vitest";
import { runCluster } from "../src/index.js";

const plan = { operations: 60 };

describe("a simulated cluster", () => {
  it("gives the same run for the same seed, and another for another", { timeout: 60_000 }, async () => {
    const first = await runCluster({ seed: 7, plan });
    expect(first.failure).toBeNull();
    expect(first.acknowledged).toBeGreaterThan(0);
    expect(await runCluster({ seed: 7, plan })).toEqual(first);
    expect((await runCluster({ seed: 8, plan })).hash).not.toBe(first.hash);
  });

  it("keeps its promises with three nodes that are crashed and cut off by the seed", { timeout: 60_000 }, async () => {
    for (let seed = 100; seed < 110; seed++)
      expect(await runCluster({ seed, plan: { nodes: 3, operations: 80 } })).toMatchObject({ seed, failure: null });
  });
});
