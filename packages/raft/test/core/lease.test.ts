import { describe, expect, it } from "vitest";
import { Lease } from "../../src/core/lease.js";

describe("Lease", () => {
  it("lasts (electionTicks - 1) * (1 - clockDriftMax) from when the latest confirmed round was sent", () => {
    for (const [electionTicks, drift] of [
      [10, 0],
      [10, 0.1],
      [20, 0.5],
      [2, 0.5],
    ] as const) {
      const lease = new Lease(electionTicks, drift);
      lease.sent(1, 50);
      lease.sent(2, 60);
      expect(lease.isValid(50)).toBe(false);
      lease.confirmed(1);
      const length = (electionTicks - 1) * (1 - drift);
      expect(lease.isValid(50 + length - 0.001)).toBe(true);
      expect(lease.isValid(50 + length)).toBe(false);
      lease.confirmed(2);
      expect(lease.isValid(60 + length - 0.001)).toBe(true);
      expect(lease.isValid(60 + length)).toBe(false);
    }
  });

  it("a later round's confirmation counts for it alone, not for one that was sent after it; and none shortens the lease", () => {
    const lease = new Lease(10, 0);
    for (let round = 1; round <= 3; round++) lease.sent(round, 10 * round);
    lease.confirmed(2);
    expect(lease.isValid(28.9)).toBe(true);
    expect(lease.isValid(29)).toBe(false);
    lease.confirmed(1);
    expect(lease.isValid(28.9)).toBe(true);
  });

  it("keeps a bounded number of rounds that nobody confirms, and forgets the oldest", () => {
    const lease = new Lease(10, 0);
    for (let round = 1; round <= 1_000; round++) lease.sent(round, round);
    lease.confirmed(100);
    expect(lease.isValid(100)).toBe(false);
    lease.confirmed(1_000);
    expect(lease.isValid(1_008.9)).toBe(true);
  });

  it("ends at once when the leadership does, and old rounds cannot bring it back", () => {
    const lease = new Lease(10, 0);
    lease.sent(1, 0);
    lease.sent(2, 5);
    lease.confirmed(1);
    lease.end();
    lease.confirmed(2);
    expect(lease.isValid(1)).toBe(false);
  });
});
