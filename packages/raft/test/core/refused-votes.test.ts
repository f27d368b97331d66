import { describe, expect, it } from "vitest";
import { TestReplica } from "./cluster.js";
import { asInPaper } from "./leading.js";
import { requestVote } from "./messages.js";

describe("a candidate that is refused", () => {
  // Found by the simulator: the only voter that could win had a delay, and was asked for its vote in vain before each time that it was due.
  it("does not keep the voter from standing itself, however often it asks (figure 2: only a granted vote resets the timer)", () => {
    const voter = new TestReplica(1, { options: { ...asInPaper, electionDelayTicks: 20 }, log: [1, 1], hardState: { currentTerm: 1 } });
    for (let term = 2; term < 5; term++) {
      voter.step({ ticks: 9 });
      expect(voter.status.role).toBe("follower");
      voter.answer(requestVote({ from: 2, to: 1, term }, 1, 1));
    }
    expect(voter.status).toMatchObject({ currentTerm: 4, votedFor: 0 });
    voter.step({ ticks: 12 });
    expect(voter.status).toMatchObject({ role: "candidate", currentTerm: 5 });
  });

  it("but one that is granted the vote does", () => {
    const voter = new TestReplica(1, { options: asInPaper, log: [1, 1], hardState: { currentTerm: 1 } });
    voter.step({ ticks: 9 });
    voter.answer(requestVote({ from: 2, to: 1, term: 2 }, 2, 1));
    expect(voter.status.votedFor).toBe(2);
    voter.step({ ticks: 9 });
    expect(voter.status.role).toBe("follower");
  });
});
