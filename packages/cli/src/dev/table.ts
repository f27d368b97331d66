import type { NodeReport } from "./node-watch.js";
import { cut, type Paint, type Tone, widthOf } from "./text.js";

/** The facts of one node that the table shows. */
export type NodeRow = Pick<NodeReport, "address" | "pid" | "status"> & {
  /** `refused`: it runs, and it or the one who asked does not accept the other's identity. */
  readonly state: NodeReport["state"] | "refused";
  /** Null for a node that nobody knows by its address. */
  readonly id: number | null;
};

interface Cell {
  readonly text: string;
  readonly tone?: Tone;
}

interface Column {
  readonly title: string;
  readonly numeric: boolean;
  /** Columns of a high rank go first where the terminal is narrow. 0 stays. */
  readonly rank: number;
  readonly cell: (row: NodeRow, leaderCommit: number | null) => Cell;
}

const nothing: Cell = { text: "-", tone: "quiet" };

const columns: readonly Column[] = [
  { title: "node", numeric: true, rank: 0, cell: ({ id }) => numberCell(id ?? undefined) },
  { title: "role", numeric: false, rank: 0, cell: ({ status }) => (status === null ? nothing : roleCell(status.role)) },
  { title: "term", numeric: true, rank: 0, cell: ({ status }) => numberCell(status?.term) },
  { title: "commit", numeric: true, rank: 0, cell: ({ status }) => numberCell(status?.commitIndex) },
  { title: "applied", numeric: true, rank: 0, cell: ({ status }) => numberCell(status?.appliedIndex) },
  { title: "lag", numeric: true, rank: 0, cell: lagCell },
  { title: "address", numeric: false, rank: 1, cell: ({ address }) => ({ text: address }) },
  { title: "pid", numeric: true, rank: 2, cell: ({ pid }) => numberCell(pid ?? undefined) },
  { title: "state", numeric: false, rank: 0, cell: stateCell },
];

/**
 * The nodes of a cluster as lines of a table, the first one its head, none wider than `width` columns.
 * The lag of a node is what its leader has committed and it has not applied.
 */
export function renderTable(rows: readonly NodeRow[], width: number, paint: Paint): string[] {
  const commit = leaderCommitOf(rows);
  for (let rank = 2; rank >= 0; rank--) {
    const shown = columns.filter((column) => column.rank <= rank);
    for (const gap of [2, 1]) {
      const lines = layOut(shown, rows, commit, gap, paint);
      if (lines.every((line) => widthOf(line) <= width)) return lines;
    }
  }
  const narrow = columns.filter(({ rank }) => rank === 0);
  return layOut(narrow, rows, commit, 1, (_, text) => text).map((line) => cut(line, width));
}

/** What the newest leader has committed; null while nobody leads. */
export function leaderCommitOf(rows: readonly NodeRow[]): number | null {
  const leaders = rows.flatMap(({ status }) => (status?.role === "leader" ? [status] : []));
  const newest = leaders.sort((a, b) => b.term - a.term)[0];
  return newest?.commitIndex ?? null;
}

/** How far a node is behind; null if that cannot be said. */
export function lagOf({ status }: NodeRow, leaderCommit: number | null): number | null {
  return status === null || leaderCommit === null ? null : Math.max(0, leaderCommit - status.appliedIndex);
}

function layOut(shown: readonly Column[], rows: readonly NodeRow[], commit: number | null, gap: number, paint: Paint): string[] {
  const cells = rows.map((row) => shown.map(({ cell }) => cell(row, commit)));
  const widths = shown.map(({ title }, i) => Math.max(title.length, ...cells.map((line) => line[i]?.text.length ?? 0)));
  const head = shown.map(({ title }): Cell => ({ text: title, tone: "quiet" }));
  return [head, ...cells].map((line) => {
    const parts = line.map((cell, i) => alignCell(cell, widths[i] ?? 0, shown[i]?.numeric ?? false, i === shown.length - 1, paint));
    return ` ${parts.join(" ".repeat(gap))}`;
  });
}

function alignCell({ text, tone }: Cell, width: number, numeric: boolean, isLast: boolean, paint: Paint): string {
  const space = " ".repeat(width - text.length);
  const painted = tone === undefined ? text : paint(tone, text);
  if (numeric) return `${space}${painted}`;
  return isLast ? painted : `${painted}${space}`;
}

function numberCell(value: number | undefined): Cell {
  return value === undefined ? nothing : { text: String(value) };
}

function roleCell(role: string): Cell {
  if (role === "leader") return { text: role, tone: "good" };
  if (role === "stopped") return { text: role, tone: "bad" };
  return role === "follower" ? { text: role } : { text: role, tone: "warning" };
}

function lagCell(row: NodeRow, leaderCommit: number | null): Cell {
  const lag = lagOf(row, leaderCommit);
  if (lag === null) return nothing;
  return lag === 0 ? { text: "0" } : { text: String(lag), tone: "warning" };
}

function stateCell({ state, status }: NodeRow): Cell {
  if (state === "up") return status === null ? { text: "silent", tone: "warning" } : { text: "up", tone: "good" };
  if (state === "starting" || state === "stopping") return { text: state, tone: "warning" };
  return { text: state, tone: state === "down" || state === "stopped" ? "quiet" : "bad" };
}
