import { describe, expect, it } from "vitest";
import { effort, explore } from "./explore.js";
import { snapshotProfile } from "./profiles.js";

describe("random schedules with snapshots and compaction every few entries (Raft §7)", () => {
  it("lose nothing that was committed, apply everything once, and bring everybody up to date", { timeout: 60_000 * effort }, () => {
    const seen = explore(snapshotProfile, 1000 * effort);
    for (const event of ["compact", "snapshot available", "snapshot restored"]) expect(seen.get(event) ?? 0, event).toBeGreaterThan(200);
    expect(seen.get("snapshot ignored") ?? 0).toBeGreaterThan(0);
  });
});
