import type { Entry } from "@octopii/raft";
import { describe, expect, it } from "vitest";
import { RaftOracle } from "../../src/index.js";

const entry = (index: number, term: number, text = ""): Entry => ({ index, term, kind: "command", data: new TextEncoder().encode(text) });

/** Three nodes that have just started with empty logs. */
function watch(): RaftOracle {
  const oracle = new RaftOracle();
  for (const node of [1, 2, 3]) restore(oracle, node, 0, 0);
  return oracle;
}

function restore(oracle: RaftOracle, node: number, currentTerm: number, lastIndex: number): void {
  const hardState = { currentTerm, votedFor: 0, commitIndex: 0 };
  oracle.observe(node, {
    type: "restore",
    hardState,
    lastIndex,
    terms: [
      { firstIndex: 0, term: 0 },
      { firstIndex: 1, term: 1 },
    ],
  });
}

const lead = (oracle: RaftOracle, node: number, term: number): void =>
  oracle.observe(node, { type: "role", role: "leader", term, leaderId: node });
const append = (oracle: RaftOracle, node: number, ...entries: Entry[]): void => oracle.observe(node, { type: "append", entries });
const commit = (oracle: RaftOracle, node: number, index: number): void => oracle.observe(node, { type: "commit", index, term: 1 });

describe("the Raft oracle", () => {
  it("is content with an honest run", () => {
    const oracle = watch();
    lead(oracle, 1, 1);
    for (const node of [1, 2]) append(oracle, node, entry(1, 1, "a"));
    for (const node of [1, 2]) commit(oracle, node, 1);
    for (const node of [1, 2]) oracle.observe(node, { type: "applied", entry: entry(1, 1, "a") });
    restore(oracle, 2, 1, 1);
    lead(oracle, 2, 2);
    expect(oracle.committedIndex).toBe(1);
  });

  it("sees two leaders of a term, and two votes in one", () => {
    const oracle = watch();
    lead(oracle, 1, 1);
    expect(() => lead(oracle, 2, 1)).toThrow(/election safety/);
    oracle.observe(3, { type: "vote", term: 5, candidate: 1 });
    expect(() => oracle.observe(3, { type: "vote", term: 5, candidate: 2 })).toThrow(/vote/);
  });

  it("sees different entries of one index and term, and what stood before them", () => {
    const oracle = watch();
    append(oracle, 1, entry(1, 1, "a"), entry(2, 1, "x"));
    expect(() => append(oracle, 2, entry(1, 1, "b"))).toThrow(/log matching/);
    append(oracle, 3, entry(1, 1, "a"));
    expect(() => append(oracle, 3, entry(2, 1, "y"))).toThrow(/log matching/);
  });

  it("sees a leader that lacks what was committed before its term, and only that", () => {
    const oracle = watch();
    lead(oracle, 1, 2);
    append(oracle, 1, entry(1, 2, "a"));
    commit(oracle, 1, 1);
    // Node 3 won an older election, and learns of it only now: harmless, for nobody will follow it.
    lead(oracle, 3, 1);
    expect(() => lead(oracle, 2, 3)).toThrow(/leader completeness/);
  });

  it("sees a committed entry removed, by its own commit index or another's", () => {
    const oracle = watch();
    for (const node of [1, 2]) append(oracle, node, entry(1, 1, "a"));
    commit(oracle, 1, 1);
    expect(() => oracle.observe(1, { type: "truncate", index: 1 })).toThrow(/had committed/);
    expect(() => oracle.observe(2, { type: "truncate", index: 1 })).toThrow(/the cluster has committed/);
  });

  it("sees different commits, different applications, and gaps", () => {
    const oracle = watch();
    append(oracle, 1, entry(1, 1, "a"));
    append(oracle, 2, entry(1, 2, "b"));
    commit(oracle, 1, 1);
    expect(() => commit(oracle, 2, 1)).toThrow(/another entry/);
    expect(() => commit(oracle, 3, 1)).toThrow(/does not have/);
    oracle.observe(1, { type: "applied", entry: entry(1, 1, "a") });
    expect(() => oracle.observe(2, { type: "applied", entry: entry(1, 2, "b") })).toThrow(/state-machine safety/);
    expect(() => oracle.observe(3, { type: "applied", entry: entry(2, 1) })).toThrow(/after 0/);
  });

  it("sees a log that wakes up with what nobody wrote, and a leader that forgot its term", () => {
    const oracle = watch();
    expect(() => restore(oracle, 1, 1, 1)).toThrow(/phantom/);
    lead(oracle, 2, 4);
    expect(() => restore(oracle, 2, 3, 0)).toThrow(/woke up in term 3/);
  });
});
