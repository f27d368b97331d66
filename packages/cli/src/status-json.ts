import type { NodeStatus } from "@octopii/core";
import { lagOf, leaderCommitOf, type NodeRow } from "./dev/table.js";

/** One node in `--json` output. What is not known is null. */
export interface NodeJson {
  readonly id: number | null;
  readonly address: string;
  readonly state: NodeRow["state"];
  readonly pid: number | null;
  readonly role: NodeStatus["role"] | null;
  readonly term: number | null;
  readonly commitIndex: number | null;
  readonly appliedIndex: number | null;
  /** What its leader has committed and it has not applied. */
  readonly lag: number | null;
}

/** The status of a cluster, as `octopii status --json` and `octopii dev --once --json` print it. */
export interface ClusterJson {
  readonly cluster: string;
  readonly leader: number | null;
  readonly nodes: readonly NodeJson[];
}

export function statusJson(cluster: string, rows: readonly NodeRow[]): ClusterJson {
  const commit = leaderCommitOf(rows);
  const leaders = rows.filter(({ status }) => status?.role === "leader").sort((a, b) => (b.status?.term ?? 0) - (a.status?.term ?? 0));
  return {
    cluster,
    leader: leaders[0]?.id ?? null,
    nodes: rows.map((row) => ({
      id: row.id,
      address: row.address,
      state: row.state,
      pid: row.pid,
      role: row.status?.role ?? null,
      term: row.status?.term ?? null,
      commitIndex: row.status?.commitIndex ?? null,
      appliedIndex: row.status?.appliedIndex ?? null,
      lag: lagOf(row, commit),
    })),
  };
}
