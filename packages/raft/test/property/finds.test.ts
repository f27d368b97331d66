import { describe, expect, it } from "vitest";
import { scheduleOf, shrink } from "./explore.js";
import { logProfile, membershipProfile, readProfile } from "./profiles.js";
import { runSchedule, type Schedule } from "./schedule.js";

/** The first schedule that goes wrong in a world that is broken on purpose. */
function firstWrong(profile: Parameters<typeof scheduleOf>[1], broken: Partial<Schedule["setup"]>, seeds: number): Schedule | null {
  for (let seed = 1; seed <= seeds; seed++) {
    const schedule = scheduleOf(seed, profile);
    const wrong = { ...schedule, setup: { ...schedule.setup, ...broken } };
    if (runSchedule(wrong) !== null) return wrong;
  }
  return null;
}

describe("random schedules", () => {
  it("are the same again for the same seed", () => {
    const [once, again] = [1, 2].map(() => {
      let said = "";
      runSchedule(scheduleOf(77, membershipProfile), (cluster) => {
        said = `${cluster.describe()} ${JSON.stringify([...cluster.seen])}`;
      });
      return said;
    });
    expect(once).toContain("leader");
    expect(once).toBe(again);
  });

  it("find a disk that loses what it has acknowledged, and shrink to what is needed for that", () => {
    const wrong = firstWrong(logProfile, { isDiskHonest: false }, 200);
    expect(wrong).not.toBeNull();
    if (wrong === null) return;
    const shrunk = shrink(wrong);
    expect(shrunk.actions.length).toBeLessThan(wrong.actions.length / 3);
    expect(runSchedule(shrunk)?.message).toMatch(/lost|durable|safety|lacks|voted|restarts/);
    expect(runSchedule({ ...shrunk, setup: { ...shrunk.setup, isDiskHonest: true } })).toBeNull();
  });

  it("find clocks that drift further than the options say", () => {
    const wrong = firstWrong(readProfile, { clockRates: [0.2, 4, 4, 4, 4] }, 1500);
    expect(wrong === null ? null : runSchedule(wrong)?.message).toMatch(/stale read/);
  });
});
