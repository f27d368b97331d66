import { describe, expect, it } from "vitest";
import { entry, Group } from "./group.js";

describe("the Raft oracle", () => {
  it("is content with an honest run", () => {
    const group = new Group();
    group.run(2);
    group.wake(2, { currentTerm: 1, votedFor: 1, commitIndex: 1 }, [0, 1, 1]);
    group.apply(2, entry(1, 1, "e1"), entry(2, 1, "e2"));
    group.elect(2, 2, [3]);
    group.append(2, entry(3, 2));
    group.append(3, entry(1, 1, "e1"), entry(2, 1, "e2"), entry(3, 2));
    group.commit(2, 3);
    group.commit(3, 2);
    expect(group.oracle.committedIndex).toBe(3);
    expect(group.oracle.latestTermLedBy(2)).toBe(2);
  });

  it("sees two leaders of a term, two votes in one, and a leader that nobody elected", () => {
    const group = new Group();
    group.elect(1, 1, [2]);
    group.stand(3, 1);
    expect(() => group.vote(2, 1, 3)).toThrow(/vote/);
    expect(() => group.tell(3, { type: "role", role: "leader", term: 1, leaderId: 3 })).toThrow(/election safety/);
    expect(() => new Group().elect(1, 1, [])).toThrow(/no quorum/);
    expect(() => new Group().tell(3, { type: "leader", term: 1, leaderId: 2 })).toThrow(/has not won/);
  });

  it("does not take pre-votes and refusals for votes", () => {
    const group = new Group();
    const pre = {
      type: "vote",
      ballot: "preVote",
      granted: true,
      term: 1,
      candidate: 1,
      lastLogIndex: 0,
      lastLogTerm: 0,
      votedFor: 0,
    } as const;
    group.tell(2, pre);
    group.tell(2, { ...pre, candidate: 3 });
    group.tell(2, { ...pre, ballot: "vote", granted: false, candidate: 3 });
    group.vote(2, 1, 1);
    expect(() => group.elect(3, 1, [])).toThrow(/no quorum/);
  });

  it("sees a vote for a log that is behind", () => {
    const group = new Group();
    group.run(2);
    expect(() => group.vote(2, 2, 3, 1, 1)).toThrow(/whose log ends at 1 of term 1/);
    group.vote(2, 2, 3, 1, 2);
  });

  it("sees a vote that an election rested on, and that the disk has not kept", () => {
    const forgetful = new Group();
    forgetful.elect(1, 1, [2]);
    expect(() => forgetful.wake(2, { currentTerm: 0, votedFor: 0, commitIndex: 0 })).toThrow(/no quorum/);
    const spare = new Group();
    spare.elect(1, 1, [2, 3]);
    spare.wake(2, { currentTerm: 0, votedFor: 0, commitIndex: 0 });
    expect(() => spare.wake(1, { currentTerm: 0, votedFor: 0, commitIndex: 0 })).toThrow(/woke up in term 0/);
  });

  it("sees different entries of one index and term, what stood before them, and entries that no leader made", () => {
    const group = new Group();
    group.elect(1, 1, [2]);
    group.append(1, entry(1, 1, "a"), entry(2, 1, "x"));
    expect(() => group.append(2, entry(1, 1, "b"))).toThrow(/log matching/);
    group.append(3, entry(1, 1, "a"));
    expect(() => group.append(3, entry(2, 1, "y"))).toThrow(/log matching/);
    expect(() => group.append(2, entry(1, 3, "z"))).toThrow(/made up/);
  });

  it("sees a leader that lacks what was committed before its term, and only that", () => {
    const group = new Group();
    group.stand(3, 1);
    group.vote(2, 1, 3);
    group.elect(1, 2, [2]);
    for (const id of [1, 2]) group.append(id, entry(1, 2, "a"));
    group.commit(1, 1);
    // Node 3 won an older election, and learns of it only now: harmless, for nobody will follow it.
    group.tell(3, { type: "role", role: "leader", term: 1, leaderId: 3 });
    // It has node 2 believe that it holds the entry.
    group.stand(3, 3);
    group.vote(2, 3, 3, 1, 2);
    expect(() => group.tell(3, { type: "role", role: "leader", term: 3, leaderId: 3 })).toThrow(/leader completeness/);
  });

  it("sees a committed entry removed, by its own commit index or another's", () => {
    const group = new Group();
    group.elect(1, 1, [2]);
    for (const id of [1, 2]) group.append(id, entry(1, 1, "a"));
    group.commit(1, 1);
    const truncate = { type: "truncate", index: 1, existingTerm: 1, newTerm: 2, durableIndex: 1, lastIndex: 1 } as const;
    expect(() => group.tell(1, truncate)).toThrow(/had committed/);
    expect(() => group.tell(2, truncate)).toThrow(/the cluster has committed/);
  });

  it("sees commits without a quorum, by counting what an earlier term left (Raft figure 8), and beyond what a leader has committed", () => {
    const group = new Group();
    group.elect(1, 1, [2]);
    group.append(1, entry(1, 1, "a"));
    expect(() => group.commit(1, 1)).toThrow(/a quorum never held/);
    const old = new Group();
    old.elect(1, 1, [2]);
    for (const id of [1, 2]) old.append(id, entry(1, 1, "a"));
    expect(() => old.commit(2, 1)).toThrow(/no leader has committed/);
    old.elect(2, 2, [1], 1, 1);
    expect(() => old.commit(2, 1)).toThrow(/of term 1 by counting/);
  });

  it("sees different commits, different applications, and gaps", () => {
    const group = new Group();
    const entries = group.run(1);
    expect(() => group.commit(3, 1)).toThrow(/does not have/);
    expect(() => group.commit(2, 1)).toThrow(/moved its commit index back/);
    expect(() => group.apply(3, entry(2, 1))).toThrow(/after 0/);
    expect(() => group.apply(3, entry(1, 1, "b"))).toThrow(/state-machine safety/);
    group.apply(3, ...entries);
    expect(() => group.apply(3, entry(2, 1))).toThrow(/before anybody committed it/);
  });

  it("sees a log that wakes up with entries of two logs, one behind the other", () => {
    const group = new Group();
    group.elect(1, 1, [2]);
    group.append(1, entry(1, 1));
    group.elect(2, 2, [3]);
    group.append(2, entry(1, 2), entry(2, 2));
    const state = { currentTerm: 2, votedFor: 2, commitIndex: 0 };
    group.wake(3, state, [0, 2, 2]);
    expect(() => group.wake(3, state, [0, 1, 2])).toThrow(/phantom: .* entry 2 of term 2 behind another/);
  });

  it("sees a log that wakes up with what nobody wrote, without what the group counts on, or with a commit index out of nowhere", () => {
    const group = new Group();
    expect(() => group.wake(1, { currentTerm: 1, votedFor: 0, commitIndex: 0 }, [0, 1])).toThrow(/phantom/);
    group.run(2);
    expect(() => group.wake(1, { currentTerm: 1, votedFor: 1, commitIndex: 3 }, [0, 1, 1])).toThrow(/commit index 3/);
    // Three hold it: one may lose it, and nobody is the worse for it.
    group.append(3, entry(1, 1, "e1"), entry(2, 1, "e2"));
    group.wake(2, { currentTerm: 1, votedFor: 1, commitIndex: 0 }, [0, 1]);
    expect(() => group.wake(3, { currentTerm: 1, votedFor: 0, commitIndex: 0 })).toThrow(/woke up without entry 2/);
  });

  it("sees messages that no honest node sends, and lets those be that merely come late", () => {
    const group = new Group();
    const message = { type: "Heartbeat", group: 0, from: 1, to: 2, term: 1, commitIndex: 9, readRound: 0 } as const;
    group.tell(2, { type: "drop", message, reason: "staleTerm" });
    expect(() => group.tell(2, { type: "drop", message, reason: "malformed" })).toThrow(/no honest node sends/);
  });
});
