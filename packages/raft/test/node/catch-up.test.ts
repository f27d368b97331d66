import { describe, expect, it } from "vitest";
import type { RaftStatus } from "../../src/index.js";
import { CatchUp } from "../../src/node/catch-up.js";
import { stoppedError } from "../../src/node/refusals.js";
import { Waiter } from "../../src/node/waiter.js";
import { drain, votersOf } from "./group.js";

const electionTimeoutMs = 100;

/** The leader's view of learner 4. */
function statusOf(lastIndex: number, matchIndex: number | null, role: RaftStatus["role"] = "leader"): RaftStatus {
  const peer = { id: 4, isLearner: true, nextIndex: 1, state: "replicate", recentlyActive: true, paused: false } as const;
  const progress = matchIndex === null ? [] : [{ ...peer, matchIndex, pendingSnapshot: 0, inflight: 0, isInflightFull: false }];
  const indexes = { compactedIndex: 0, lastIndex, durableIndex: lastIndex, commitIndex: lastIndex, appliedIndex: lastIndex };
  return {
    ...{ id: 1, role, currentTerm: 1, votedFor: 1, leaderId: 1, snapshotIndex: 0, transferTarget: 0 },
    ...indexes,
    configuration: votersOf(1, 2, 3),
    progress,
  };
}

/** A learner that is waited for from time 0, when the leader's log ends at 10; and what the wait came to. */
function lab(rounds = 3): { catchUp: CatchUp; outcome: () => Promise<unknown> } {
  const catchUp = new CatchUp(electionTimeoutMs, rounds);
  let outcome: unknown = "waits";
  const settle = (value: unknown): void => {
    outcome = value;
  };
  const waiter = new Waiter<void>(5_000, undefined, () => settle("caught up"), settle);
  catchUp.add(4, waiter, 10, 0);
  return { catchUp, outcome: () => drain().then(() => outcome) };
}

describe("catching up (thesis §4.2.1)", () => {
  it("is over with a round that takes no longer than an election timeout", async () => {
    const { catchUp, outcome } = lab();
    catchUp.check(statusOf(12, 9), 50);
    expect(await outcome()).toBe("waits");
    catchUp.check(statusOf(12, 10), 100);
    expect(await outcome()).toBe("caught up");
    expect(catchUp.count).toBe(0);
  });

  it("begins another round, of what was appended meanwhile, after one that took longer", async () => {
    const { catchUp, outcome } = lab();
    catchUp.check(statusOf(40, 10), 101);
    expect(await outcome()).toBe("waits");
    catchUp.check(statusOf(50, 39), 150);
    expect(await outcome()).toBe("waits");
    catchUp.check(statusOf(60, 40), 201);
    expect(await outcome()).toBe("caught up");
  });

  it("fails when no round was short enough", async () => {
    const { catchUp, outcome } = lab(3);
    catchUp.check(statusOf(20, 10), 200);
    catchUp.check(statusOf(30, 20), 400);
    expect(await outcome()).toBe("waits");
    catchUp.check(statusOf(40, 30), 600);
    expect(await outcome()).toMatchObject({ code: "OCTOPII_RAFT_CATCH_UP_FAILED", outcome: "failed" });
    expect(catchUp.count).toBe(0);
  });

  it("fails when the learner is no member any more", async () => {
    const { catchUp, outcome } = lab();
    catchUp.check(statusOf(20, null), 20);
    expect(await outcome()).toMatchObject({ code: "OCTOPII_RAFT_CATCH_UP_FAILED", outcome: "failed" });
  });

  it("ends with leadership, and says so", async () => {
    const { catchUp, outcome } = lab();
    catchUp.check(statusOf(20, 10, "follower"), 20);
    expect(await outcome()).toMatchObject({ code: "OCTOPII_RAFT_NOT_LEADER", outcome: "failed" });
  });

  it("ends at the caller's deadline, and with the node", async () => {
    const first = lab();
    first.catchUp.expire(4_999);
    expect(await first.outcome()).toBe("waits");
    first.catchUp.expire(5_000);
    expect(await first.outcome()).toMatchObject({ code: "OCTOPII_RAFT_TIMEOUT", outcome: "failed" });
    expect(first.catchUp.count).toBe(0);
    const second = lab();
    second.catchUp.rejectAll(stoppedError(null, "failed"));
    expect(await second.outcome()).toMatchObject({ code: "OCTOPII_RAFT_STOPPED" });
    expect(second.catchUp.count).toBe(0);
  });
});
