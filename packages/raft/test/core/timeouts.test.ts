import { createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { group, TestReplica } from "./cluster.js";
import { asInPaper } from "./leading.js";
import { heartbeat, only, requestVote } from "./messages.js";

/** How many ticks of silence it takes until `replica` campaigns. */
function ticksToCampaign(replica: TestReplica): number {
  const before = replica.traced("campaign").length;
  for (let ticks = 1; ticks <= 2_000; ticks++) {
    replica.step({ ticks: 1 });
    if (replica.traced("campaign").length > before) return ticks;
  }
  return Number.POSITIVE_INFINITY;
}

describe("election timeouts", () => {
  it.each([
    { electionTicks: 10, electionDelayTicks: 0 },
    { electionTicks: 7, electionDelayTicks: 25 },
  ])("§5.2: are random in [n, 2n), and every value occurs; a delay comes on top ($electionDelayTicks)", (times) => {
    const { electionTicks, electionDelayTicks } = times;
    const seen = new Set<number>();
    const random = createRandom(3);
    for (let boot = 0; boot < 40 * electionTicks; boot++) {
      seen.add(ticksToCampaign(new TestReplica(1, { options: { ...asInPaper, ...times }, random })) - electionDelayTicks);
    }
    expect([...seen].sort((a, b) => a - b)).toEqual(Array.from({ length: electionTicks }, (_, at) => electionTicks + at));
  });

  it("§5.2: are drawn anew at the start of each election", () => {
    const replica = new TestReplica(1, { options: asInPaper, random: createRandom(8) });
    const seen = new Set(Array.from({ length: 40 }, () => ticksToCampaign(replica)));
    expect(seen.size).toBeGreaterThan(5);
    expect(replica.status.currentTerm).toBe(40);
  });

  it("§5.2: seldom end at the same tick for two of five nodes, so that votes seldom split", () => {
    const random = createRandom(5);
    let splits = 0;
    for (let round = 0; round < 150; round++) {
      const replicas = [1, 2, 3, 4, 5].map((id) => new TestReplica(id, { options: asInPaper, random }));
      const first = replicas.map(ticksToCampaign).sort((a, b) => a - b);
      if (first[0] === first[1]) splits++;
    }
    // Two of five draws out of ten tie for the lowest in 0.27 of all rounds.
    expect(splits / 150).toBeGreaterThan(0.15);
    expect(splits / 150).toBeLessThan(0.4);
  });

  it("order elections by priority: whoever has a delay lets others go first, and goes itself if they don't", () => {
    const late = new TestReplica(1, { options: { ...asInPaper, electionDelayTicks: 15 } });
    late.step({ ticks: 25 });
    expect(late.status.role).toBe("follower");
    late.step({ ticks: 1 });
    expect(late.status.role).toBe("candidate");
    // A candidate that failed waits as long again: priority also holds after a split vote.
    late.step({ ticks: 25 });
    expect(late.status.currentTerm).toBe(1);
    late.step({ ticks: 1 });
    expect(late.status.currentTerm).toBe(2);
  });

  it("a delay does not lengthen the shield of a leader, nor the leader's check of its quorum", () => {
    const voter = new TestReplica(1, { options: { electionDelayTicks: 500 } });
    voter.answer(heartbeat({ from: 2, to: 1, term: 1 }));
    voter.step({ ticks: 10 });
    expect(only("RequestVoteResponse", voter.answer(requestVote({ from: 3, to: 1, term: 2 })))).toMatchObject([{ granted: true }]);
    const leader = new TestReplica(1, { options: { electionDelayTicks: 500, preVote: false }, configuration: group([1, 2]) });
    leader.step({ campaign: true });
    leader.flush();
    leader.answer({ type: "RequestVoteResponse", group: 0, from: 2, to: 1, term: 1, granted: true });
    leader.step({ ticks: 9 });
    expect(leader.status.role).toBe("leader");
    leader.step({ ticks: 1 });
    expect(leader.status.role).toBe("follower");
  });

  it("§5.2: only members with a vote campaign, however long nobody speaks", () => {
    const outsiders = [group([2, 3]), group([2, 3], { learners: [1] }), group([])];
    for (const configuration of outsiders) {
      const replica = new TestReplica(1, { configuration });
      replica.step({ ticks: 100 });
      replica.step({ campaign: true });
      expect(replica.status.role).toBe("follower");
      expect(replica.traced("campaignRefused")).toMatchObject([{ obstacle: "notVoter" }]);
    }
    const leaving = new TestReplica(1, { configuration: group([2, 3], { votersOutgoing: [1, 2, 3] }) });
    leaving.step({ ticks: 11 });
    expect(leaving.status.role).toBe("preCandidate");
  });

  it("§5.6: heartbeats must come more often than elections, or the options are refused", () => {
    expect(() => new TestReplica(1, { options: { electionTicks: 5, heartbeatTicks: 5 } })).toThrow(/electionTicks \(5\) must exceed/);
  });
});
