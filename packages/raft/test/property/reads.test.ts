import { describe, expect, it } from "vitest";
import { effort, explore } from "./explore.js";
import { everythingProfile, readProfile } from "./profiles.js";

describe("random schedules with reads (thesis §6.4)", () => {
  it("never serve a stale read, by lease or by quorum, however clocks drift within the bound", { timeout: 60_000 * effort }, () => {
    const seen = explore(readProfile, 1200 * effort);
    for (const event of ["read by lease", "read by quorum", "read refused", "transfer"])
      expect(seen.get(event) ?? 0, event).toBeGreaterThan(200);
  });

  it("nor while the membership changes and logs are compacted", { timeout: 60_000 * effort }, () => {
    const seen = explore(everythingProfile, 600 * effort);
    for (const event of ["read by quorum", "autoLeave", "snapshot restored"]) expect(seen.get(event) ?? 0, event).toBeGreaterThan(100);
  });
});
