import { existsSync, readFileSync } from "node:fs";
import { type Finished, failure, run } from "../lib/run.js";
import { type Counted, parseTally } from "../lib/verdict.js";
import type { Part } from "./steps.js";

/** What a part's counts and its end say together. */
export interface Judgement extends Counted {
  /** What went wrong with the part as a whole, or null. */
  readonly problem: string | null;
}

/** How a part went. */
export interface Outcome extends Judgement {
  readonly name: string;
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
export function judge(part: Part, finished: Finished, counts: string | null): Judgement {
  const problem = failure(finished);
  if (!part.counts) return { passed: problem === null ? 1 : 0, failed: problem === null ? 0 : 1, failures: [], problem };
  const tally = counts === null ? null : parseTally(counts);
  if (tally === null) return { passed: 0, failed: 1, failures: [], problem: problem ?? "left no counts behind" };
  if (tally.failed > 0) return { ...tally, problem: null };
  if (problem !== null) return { ...tally, failed: 1, problem };
  return tally.passed === 0 ? { ...tally, failed: 1, problem: "ran nothing" } : { ...tally, problem: null };
}
