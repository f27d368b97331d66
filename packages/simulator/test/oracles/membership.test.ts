import { describe, expect, it } from "vitest";
import { configurationOf, entry, Group } from "./group.js";

/** Three voters that have applied entry 1 to 3, on which node 4 was added. */
function grown(): Group {
  const group = new Group([1, 2, 3], [1, 2, 3, 4]);
  group.run(3);
  for (const id of [1, 2]) group.configure(id, 3, configurationOf([1, 2, 3, 4]));
  return group;
}

describe("the Raft oracle on membership", () => {
  it("sees configurations that differ at one index", () => {
    const group = grown();
    group.append(3, entry(1, 1, "e1"), entry(2, 1, "e2"), entry(3, 1, "e3"));
    group.commit(3, 3);
    group.apply(3, entry(1, 1, "e1"), entry(2, 1, "e2"), entry(3, 1, "e3"));
    expect(() => group.configure(3, 3, configurationOf([1, 2, 3]))).toThrow(/others were in/);
    expect(() => group.configure(3, 2, configurationOf([1, 2, 3, 4]))).toThrow(/others were in/);
    group.configure(3, 3, configurationOf([1, 2, 3, 4]));
    expect(group.oracle.configurationChanges).toBe(1);
  });

  it("sees a change that takes effect before it is applied (RULE 6)", () => {
    const group = new Group();
    group.run(2);
    group.append(1, entry(3, 1));
    expect(() => group.configure(1, 3, configurationOf([1, 2]))).toThrow(/when it had applied 2/);
  });

  it("sees steps whose quorums need not overlap", () => {
    const group = new Group();
    group.run(3);
    expect(() => group.configure(1, 1, configurationOf([1]))).toThrow(/more than one voter/);
    expect(() => group.configure(1, 1, configurationOf([1, 4, 5], [1, 2]))).toThrow(/outgoing half/);
    group.configure(1, 1, configurationOf([1, 4, 5], [1, 2, 3]));
    expect(() => group.configure(1, 2, configurationOf([1, 4, 6], [1, 2, 3]))).toThrow(/joint already/);
    expect(() => group.configure(1, 2, configurationOf([1, 4]))).toThrow(/incoming voters/);
    group.configure(1, 2, configurationOf([1, 4, 5]));
  });

  it("asks both halves of a joint configuration, for votes and for commits", () => {
    const group = new Group([1, 2, 3], [1, 2, 3, 4, 5]);
    group.run(3);
    group.configure(1, 3, configurationOf([1, 4, 5], [1, 2, 3]));
    for (const id of [1, 2]) group.append(id, entry(4, 1));
    expect(() => group.commit(1, 4)).toThrow(/a quorum never held/);
    const again = new Group([1, 2, 3], [1, 2, 3, 4, 5]);
    again.run(3);
    again.configure(1, 3, configurationOf([1, 4, 5], [1, 2, 3]));
    expect(() => again.elect(1, 2, [2], 3, 1)).toThrow(/no quorum/);
    again.vote(4, 2, 1, 3, 1);
    again.tell(1, { type: "role", role: "leader", term: 2, leaderId: 1 });
  });

  it("does not count learners", () => {
    const group = new Group([1, 2, 3], [1, 2, 3, 4]);
    const entries = group.run(3);
    group.configure(1, 3, configurationOf([1, 2, 3], [], [4]));
    group.append(1, entry(4, 1));
    group.append(4, ...entries, entry(4, 1));
    expect(() => group.commit(1, 4)).toThrow(/a quorum never held/);
  });

  it("sees a campaign of one that knows of a committed change and is not in it (RULE 6)", () => {
    const group = grown();
    group.append(3, entry(1, 1, "e1"), entry(2, 1, "e2"), entry(3, 1, "e3"));
    group.stand(3, 2);
    group.commit(3, 3);
    expect(() => group.stand(3, 3)).toThrow(/knows that the change at 3 is committed/);
    expect(() => group.tell(3, { type: "campaign", kind: "timeout", ballot: "preVote", term: 2 })).toThrow(
      /campaigns in the configuration of 0/,
    );
  });

  it("knows what was in effect, and since when", () => {
    const group = grown();
    expect(group.oracle.configuration).toEqual({ index: 3, configuration: configurationOf([1, 2, 3, 4]) });
    expect(group.oracle.configurationsSince(0).map(({ index }) => index)).toEqual([0, 3]);
    expect(group.oracle.configurationsSince(7).map(({ index }) => index)).toEqual([3]);
  });
});
