import { existsSync, readFileSync } from "node:fs";
import { type Finished, failure, run } from "../lib/run.js";
import type { Tally } from "../lib/verdict.js";
import type { Part } from "./steps.js";

/** How a part went. */
export interface Outcome extends Tally {
  readonly name: string;
  /** What went wrong with the part as a whole, or null. */
  readonly problem: string | null;
  readonly elapsedMs: number;
}

/** Runs a part; all that it prints goes to stderr. */
export async function runPart(part: Part, countsFile: string): Promise<Outcome> {
  const [command, args] = part.command(countsFile);
  const finished = await run(command, args, { output: "stderr", timeLimitMs: part.timeLimitMs });
  const text = existsSync(countsFile) ? readFileSync(countsFile, "utf8") : null;
  return { name: part.name, elapsedMs: finished.elapsedMs, ...judge(part, finished, text) };
}

/** A part that ended badly without saying what failed, or that says nothing at all, is one failure more. */
export function judge(part: Part, finished: Finished, counts: string | null): Tally & { problem: string | null } {
  const reason = failure(finished);
  if (part.parse === null) return { passed: reason === null ? 1 : 0, failed: reason === null ? 0 : 1, problem: reason };
  const tally = counts === null ? null : part.parse(counts);
  if (tally === null) return { passed: 0, failed: 1, problem: reason ?? "left no counts behind" };
  if (tally.failed > 0) return { ...tally, problem: null };
  if (reason !== null) return { ...tally, failed: 1, problem: reason };
  return tally.passed === 0 ? { ...tally, failed: 1, problem: "ran nothing" } : { ...tally, problem: null };
}
