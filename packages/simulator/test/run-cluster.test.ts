import { describe, expect, it } from "vitest";
import { runCluster } from "../src/index.js";

describe("a simulated cluster", () => {
  it("gives the same run for the same seed, and another for another", { timeout: 60_000 }, async () => {
    const first = await runCluster({ seed: 7, operations: 60 });
    expect(first.failure).toBeNull();
    expect(first.acknowledged).toBeGreaterThan(0);
    expect(await runCluster({ seed: 7, operations: 60 })).toEqual(first);
    expect((await runCluster({ seed: 8, operations: 60 })).hash).not.toBe(first.hash);
  });

  it.each([
    [52, "a leader whose own vote was not on disk"],
    [1_795_383_790_590, "a candidate that was paused wins an election of the past"],
    [1_795_404_612_416, "a leader of the past is asked to hand over to its successor, which is done already"],
  ])("keeps its promises with seed %i: %s", { timeout: 60_000 }, async (seed) => {
    expect(await runCluster({ seed })).toMatchObject({ seed, failure: null });
  });

  it("keeps its promises with three nodes that are crashed and cut off by the seed", { timeout: 60_000 }, async () => {
    for (let seed = 100; seed < 110; seed++)
      expect(await runCluster({ seed, nodes: 3, operations: 80 })).toMatchObject({ seed, failure: null });
  });
});
