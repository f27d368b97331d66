import { describe, expect, it } from "vitest";
import { effort, explore } from "./explore.js";
import { membershipProfile } from "./profiles.js";

describe("random schedules with changes of the membership (Raft §6, thesis chapter 4)", () => {
  it("keep one history of configurations, each in effect only when committed, and no two quorums apart", {
    timeout: 60_000 * effort,
  }, () => {
    const seen = explore(membershipProfile, 1200 * effort);
    for (const event of ["autoLeave", "changeProposed", "changeRefused", "snapshot restored", "truncate"]) {
      expect(seen.get(event) ?? 0, event).toBeGreaterThan(50);
    }
  });
});
