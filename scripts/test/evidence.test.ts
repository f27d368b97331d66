import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { nextSeed, simulationRows, withSimulationRow } from "../lib/evidence.js";
import { repositoryRoot } from "../lib/root.js";

const document = `# Evidence

| date | commit | profile | seeds | operations | faults | failures | hash |
| --- | --- | --- | --- | --- | --- | --- | --- |
| 2026-01-02 | abc | nightly | 1–100 | 21,000 | 4,000 | 0 | ff |

More.
`;
const row = {
  date: "2026-01-03",
  commit: "def",
  profile: "nightly",
  first: 101,
  last: 150,
  operations: 9_000,
  faults: 1,
  failures: 2,
  hash: "ee",
};

describe("the table of simulated clusters", () => {
  it("tells where the next chunk begins", () => {
    expect(nextSeed(simulationRows(document), "nightly")).toBe(101);
    expect(nextSeed(simulationRows(document), "disks")).toBe(1);
  });

  it("grows by a row that is read back as it was written", () => {
    const grown = withSimulationRow(document, row);
    expect(simulationRows(grown)[1]).toEqual(row);
    expect(grown.endsWith("\n\nMore.\n")).toBe(true);
    expect(nextSeed(simulationRows(grown), "nightly")).toBe(151);
  });

  it("must be there", () => {
    expect(() => simulationRows("# Evidence")).toThrow(/no table/);
  });

  it("is in docs/EVIDENCE.md, with ranges that do not overlap", () => {
    const rows = simulationRows(readFileSync(join(repositoryRoot, "docs/EVIDENCE.md"), "utf8"));
    expect(rows.length).toBeGreaterThan(0);
    for (const { first, last } of rows) expect(last).toBeGreaterThanOrEqual(first);
    for (const one of rows)
      for (const other of rows)
        if (one !== other && one.profile === other.profile) expect(one.last < other.first || other.last < one.first).toBe(true);
  });
});
