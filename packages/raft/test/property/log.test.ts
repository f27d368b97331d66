import { describe, expect, it } from "vitest";
import { effort, explore } from "./explore.js";
import { logProfile } from "./profiles.js";

describe("random schedules of elections and appends (Raft figure 3)", () => {
  it("hold election safety, log matching, leader completeness and state machine safety, and recover", { timeout: 60_000 * effort }, () => {
    const seen = explore(logProfile, 1500 * effort);
    for (const event of ["truncate", "appendRejected", "quorumLost", "shielded", "drop staleTerm", "proposalsDropped"]) {
      expect(seen.get(event) ?? 0, event).toBeGreaterThan(50);
    }
  });
});
