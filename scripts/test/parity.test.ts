import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
import { repositoryRoot } from "../lib/root.js";

const page = "docs/PARITY.md";
const text = readFileSync(join(repositoryRoot, page), "utf8");

interface Pointer {
  readonly file: string;
  /** Titles of tests that must be in the file, as they stand there. */
  readonly titles: readonly string[];
}

/** Every link of a line to a file of this repository, with what is quoted behind it. */
function pointersOf(line: string): Pointer[] {
  return [...line.matchAll(/\[[^\]]*\]\(([^)]+)\)((?:,? "[^"]+")*)/g)].map(([, target = "", quoted = ""]) => ({
    file: join(dirname(page), target.replace(/#.*$/, "")),
    titles: [...quoted.matchAll(/"([^"]+)"/g)].map(([, title = ""]) => title),
  }));
}

/** The rows of the table under a heading, each as its cells. */
function rowsUnder(heading: string): string[][] {
  const section = text.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? "";
  const rows = section.split("\n").filter((line) => line.startsWith("| "));
  return rows.slice(2).map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

const evidenceOf = (cells: readonly string[]): string => cells.at(-1) ?? "";
const isTest = ({ file }: Pointer): boolean => file.endsWith(".test.ts");

describe("the page on parity", () => {
  it("points to files that are there, and quotes tests by the names that they have", () => {
    const problems = text.split("\n").flatMap((line) =>
      pointersOf(line).flatMap(({ file, titles }) => {
        const path = join(repositoryRoot, file);
        if (!existsSync(path)) return [`${file} is not there`];
        if (titles.length === 0) return [];
        // As the source writes them: with escapes, in whatever quotes.
        const source = readFileSync(path, "utf8").replaceAll("\\", "");
        return titles.filter((title) => !source.includes(title)).map((title) => `${file} has no test "${title}"`);
      }),
    );
    expect(problems).toEqual([]);
  });

  it.each([
    ["Defects that we do not have", 34],
    ["Holes in its tests that ours do not have", 10],
  ])("has a test for each row of: %s", (heading, count) => {
    const rows = rowsUnder(heading);
    expect(rows.map(([number]) => Number(number))).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(rows.filter((cells) => !pointersOf(evidenceOf(cells)).some(isTest)).map(([number]) => number)).toEqual([]);
  });

  it.each([
    "Configuration",
    "Node",
    "Runtime",
    "Raft",
    "Transport and RPC",
    "Shipping lane",
    "State machines",
    "Write-ahead log",
    "Simulation",
    "Examples",
  ])("has a test for what is offered under %s, or says that it is not here yet", (heading) => {
    const rows = rowsUnder(heading);
    expect(rows.length).toBeGreaterThan(0);
    const bare = rows.filter((cells) => !pointersOf(evidenceOf(cells)).some(isTest));
    expect(bare.filter(([, ours = ""]) => !ours.includes("not here yet"))).toEqual([]);
  });
});
