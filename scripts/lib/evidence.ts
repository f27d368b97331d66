/** One chunk of a long run of simulated clusters, as it stands in docs/EVIDENCE.md. */
export interface SimulationRow {
  /** Of the day, as in 2026-01-31. */
  readonly date: string;
  readonly commit: string;
  readonly profile: string;
  readonly first: number;
  readonly last: number;
  readonly operations: number;
  readonly faults: number;
  readonly failures: number;
  readonly hash: string;
}

/** Stands above the table of simulated clusters; rows are added at its end. */
const heading = "| date | commit | profile | seeds | operations | faults | failures | hash |";

/** The rows of the table of simulated clusters. @throws if the document has no such table. */
export function simulationRows(document: string): SimulationRow[] {
  return tableLines(document).map((line) => {
    const [date = "", commit = "", profile = "", range = "", ...rest] = line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim());
    const [first = 0, last = 0] = range.split("–").map(Number);
    const [operations = 0, faults = 0, failures = 0] = rest.slice(0, 3).map((cell) => Number(cell.replaceAll(",", "")));
    return { date, commit, profile, first, last, operations, faults, failures, hash: rest[3] ?? "" };
  });
}

/** The document with one more row at the table's end. */
export function withSimulationRow(document: string, row: SimulationRow): string {
  const lines = document.split("\n");
  const end = lines.indexOf(heading) + 2 + tableLines(document).length;
  const count = (value: number): string => value.toLocaleString("en-US");
  const cells = [
    row.date,
    row.commit,
    row.profile,
    `${row.first}–${row.last}`,
    count(row.operations),
    count(row.faults),
    count(row.failures),
    row.hash,
  ];
  return [...lines.slice(0, end), `| ${cells.join(" | ")} |`, ...lines.slice(end)].join("\n");
}

/** The first seed that no row of the profile has covered. */
export function nextSeed(rows: readonly SimulationRow[], profile: string): number {
  return rows.reduce((next, row) => (row.profile === profile ? Math.max(next, row.last + 1) : next), 1);
}

function tableLines(document: string): string[] {
  const lines = document.split("\n");
  const at = lines.indexOf(heading);
  if (at < 0) throw new Error(`docs/EVIDENCE.md has no table that begins with ${heading}`);
  const rows = lines.slice(at + 2);
  const end = rows.findIndex((line) => !line.startsWith("|"));
  return end < 0 ? rows : rows.slice(0, end);
}
