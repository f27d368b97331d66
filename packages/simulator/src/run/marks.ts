import type { NodeEvent } from "@octopii/core";
import { changeKinds, faultKinds } from "../plan/kinds.js";

/**
 * What seeds must get to sometimes, so that a quiet run is no proof: each name, over a thousand seeds of the nightly profile. Committed changes
 * that cannot be carried out are not among them: no honest leader appends one.
 */
const situations: readonly string[] = [
  "leaders",
  "truncations",
  "compactions",
  "starts from a snapshot",
  "snapshots available",
  "snapshots restoring",
  "snapshots restored",
  "snapshots fastForwarded",
  "joint configurations left",
  "quorums lost",
  "shielded",
  "transfers started",
  "transfers timeoutNow",
  "transfers aborted",
  "campaigns refused: leader",
  "campaigns refused: notVoter",
  "a minimal core converged",
  "a node stopped for its disk",
  "a node could not start for its disk",
  "a damaged log was read",
  "a lone node",
  "seven nodes",
  "remote clients",
  "mixed options",
];

/** Every mark, by name: situations, faults as `fault:KIND`, and what an operator got done as `change:KIND`. */
const marks: readonly string[] = [
  ...situations,
  ...faultKinds.map((kind) => `fault:${kind}`),
  ...[...changeKinds, "repair"].map((kind) => `change:${kind}`),
];

/** What of a number of runs came about, by mark. */
export interface MarkCounts {
  readonly reached: Readonly<Record<string, number>>;
  readonly faults: Readonly<Record<string, number>>;
  readonly changes: Readonly<Record<string, number>>;
}

/** The marks that none of the runs hit. */
export function missingMarks({ reached, faults, changes }: MarkCounts): string[] {
  const count = (mark: string): number => {
    if (mark.startsWith("fault:")) return faults[mark.slice("fault:".length)] ?? 0;
    if (mark.startsWith("change:")) return changes[`${mark.slice("change:".length)} done`] ?? 0;
    return reached[mark] ?? 0;
  };
  return marks.filter((mark) => count(mark) === 0);
}

/** Counts what came about in a run. */
export class Marks {
  readonly counts: Record<string, number> = {};

  sometimes(name: string): void {
    this.counts[name] = (this.counts[name] ?? 0) + 1;
  }

  observe(event: NodeEvent): void {
    switch (event.type) {
      case "restore":
        if ((event.terms[0]?.firstIndex ?? 0) > 0) this.sometimes("starts from a snapshot");
        return;
      case "role":
        if (event.role === "leader") this.sometimes("leaders");
        return;
      case "truncate":
        return this.sometimes("truncations");
      case "snapshot":
        return this.sometimes(`snapshots ${event.phase}`);
      case "compact":
        return this.sometimes("compactions");
      case "transfer":
        return this.sometimes(`transfers ${event.phase}`);
      case "autoLeave":
        return this.sometimes("joint configurations left");
      case "changeRefused":
        return this.sometimes(`refused: ${event.refusal}`);
      case "changeVoid":
        return this.sometimes("void changes");
      case "campaignRefused":
        return this.sometimes(`campaigns refused: ${event.obstacle}`);
      case "shielded":
        return this.sometimes("shielded");
      case "quorumLost":
        return this.sometimes("quorums lost");
      default:
        return;
    }
  }
}
