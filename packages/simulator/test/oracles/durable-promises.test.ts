import { describe, expect, it } from "vitest";
import { RaftOracle } from "../../src/index.js";
import { configurationOf, entry, Group } from "./group.js";

/** A group of three whose disks hold what they are told to hold: nothing, at first, of whoever is in `late`. */
function groupWith(late: Set<number>): { group: Group; asked: string[] } {
  const asked: string[] = [];
  const oracle = new RaftOracle(configurationOf([1, 2, 3]), {
    holds: (id, bytes) => {
      asked.push(Buffer.from(bytes).toString("hex"));
      return !late.has(id);
    },
  });
  return { group: new Group([1, 2, 3], [1, 2, 3], oracle), asked };
}

describe("durable before promised", () => {
  it("holds where a quorum of disks has what was counted", () => {
    const { group, asked } = groupWith(new Set([3]));
    group.run(2);
    // A hard state: version, term 1, vote for 1. An entry: version, command, term 1, data.
    expect(asked).toContain("0101000000000000000100000000000000");
    expect(asked).toContain(`010001${"00".repeat(7)}${Buffer.from("e2").toString("hex")}`);
  });

  it("is broken by votes that are counted before they are written, the candidate's own among them", () => {
    for (const late of [[1], [2]]) {
      const { group } = groupWith(new Set([...late, 3]));
      expect(() => group.elect(1, 1, [2])).toThrow(/durable before promised: node 1 leads term 1 by votes/);
    }
  });

  it("is broken by entries that are counted before they are written", () => {
    const late = new Set<number>();
    const { group } = groupWith(late);
    group.elect(1, 1, [2]);
    for (const id of [1, 2]) group.append(id, entry(1, 1, "a"), entry(2, 1, "b"));
    late.add(2).add(3);
    expect(() => group.commit(1, 2)).toThrow(/durable before promised: node 1 committed entry 2/);
  });

  it("asks no old vote of those who have moved on, and no entry of those who have a snapshot instead", () => {
    const { group } = groupWith(new Set([3]));
    group.wake(2, { currentTerm: 5, votedFor: 0, commitIndex: 0 });
    group.stand(1, 6);
    group.vote(3, 7, 3);
    group.vote(2, 6, 1);
    group.tell(1, { type: "role", role: "leader", term: 6, leaderId: 1 });
    expect(group.oracle.latestTermLedBy(1)).toBe(6);
  });
});
