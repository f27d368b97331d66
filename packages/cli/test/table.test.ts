import { stripVTControlCharacters } from "node:util";
import type { NodeStatus } from "@octopii/core";
import { describe, expect, it } from "vitest";
import { lagOf, leaderCommitOf, type NodeRow, renderTable } from "../src/dev/table.js";
import { colourful, plain, widthOf } from "../src/dev/text.js";
import { statusJson } from "../src/status-json.js";

function status(id: number, role: NodeStatus["role"], term: number, commitIndex: number, appliedIndex = commitIndex): NodeStatus {
  const address = `127.0.0.1:2000${id}`;
  return {
    id,
    cluster: "dev",
    address,
    role,
    term,
    leaderId: 1,
    lastIndex: commitIndex,
    commitIndex,
    appliedIndex,
    compactedIndex: 0,
    snapshotIndex: 0,
    members: [],
  };
}

function row(id: number, state: NodeRow["state"], of: NodeStatus | null): NodeRow {
  return { id, address: `127.0.0.1:2000${id}`, state, pid: of === null ? null : 4000 + id, status: of };
}

const rows = [row(1, "up", status(1, "leader", 12, 1_234)), row(2, "up", status(2, "follower", 12, 1_230, 1_200)), row(3, "killed", null)];

describe("the table of the nodes", () => {
  it("aligns its columns", () => {
    expect(renderTable(rows, 79, plain).join("\n")).toBe(
      [
        " node  role      term  commit  applied  lag  address           pid  state",
        "    1  leader      12    1234     1234    0  127.0.0.1:20001  4001  up",
        "    2  follower    12    1230     1200   34  127.0.0.1:20002  4002  up",
        "    3  -            -       -        -    -  127.0.0.1:20003     -  killed",
      ].join("\n"),
    );
  });

  it("has the same text with colours", () => {
    const coloured = renderTable(rows, 79, colourful);
    expect(coloured.map(stripVTControlCharacters)).toEqual(renderTable(rows, 79, plain));
    expect(coloured[1]).toContain("\x1b[32mleader\x1b[39m");
    expect(coloured[3]).toContain("\x1b[31mkilled\x1b[39m");
  });

  it("fits 80 columns with the longest things that it may have to say", () => {
    const longest = [{ ...row(9, "starting", status(9, "preCandidate", 999, 99_999_999)), address: "127.0.0.1:31999", pid: 4_194_304 }];
    const lines = renderTable([...longest, ...rows], 79, plain);
    expect(Math.max(...lines.map(widthOf))).toBeLessThanOrEqual(79);
    expect(lines[0]).toContain("state");
  });

  it.each([20, 30, 40, 50, 60, 70])("is never wider than %i columns", (width) => {
    const lines = renderTable(rows, width, colourful);
    expect(lines).toHaveLength(4);
    for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
  });

  it("leaves out the process id first, then the address", () => {
    expect(renderTable(rows, 66, plain)[0]).toMatch(/address +pid +state/);
    expect(renderTable(rows, 64, plain)[0]).toMatch(/address +state/);
    expect(renderTable(rows, 50, plain)[0]).toMatch(/lag +state/);
  });

  it("shows a node that refuses whoever asks", () => {
    const refused = [row(1, "refused", null)];
    expect(renderTable(refused, 79, plain)[1]).toMatch(/^ +1 +- .* - {2}refused$/);
    expect(renderTable(refused, 79, colourful)[1]).toContain("\x1b[31mrefused\x1b[39m");
    expect(statusJson("dev", refused)).toMatchObject({ leader: null, nodes: [{ state: "refused", role: null }] });
  });

  it("shows a node that does not answer", () => {
    expect(renderTable([{ ...row(1, "up", null), pid: 77 }], 79, plain)[1]).toMatch(/^ +1 +- .* 77 +silent$/);
  });
});

describe("the lag", () => {
  it("is measured by the newest leader", () => {
    const two = [row(1, "up", status(1, "leader", 3, 900)), row(2, "up", status(2, "leader", 4, 100, 90))];
    expect(leaderCommitOf(two)).toBe(100);
    expect(two.map((one) => lagOf(one, leaderCommitOf(two)))).toEqual([0, 10]);
  });

  it("is unknown without a leader", () => {
    const alone = row(2, "up", status(2, "follower", 4, 100));
    expect(leaderCommitOf([alone])).toBeNull();
    expect(lagOf(alone, null)).toBeNull();
  });
});

describe("the status as JSON", () => {
  it("gives null for what is not known", () => {
    expect(statusJson("dev", rows)).toEqual({
      cluster: "dev",
      leader: 1,
      nodes: [
        expect.objectContaining({ id: 1, role: "leader", term: 12, commitIndex: 1_234, appliedIndex: 1_234, lag: 0, pid: 4001 }),
        expect.objectContaining({ id: 2, role: "follower", lag: 34 }),
        {
          id: 3,
          address: "127.0.0.1:20003",
          state: "killed",
          pid: null,
          role: null,
          term: null,
          commitIndex: null,
          appliedIndex: null,
          lag: null,
        },
      ],
    });
  });
});
