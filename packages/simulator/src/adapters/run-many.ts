import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { profileOf } from "../plan/profiles.js";
import { runCluster } from "../run/cluster-run.js";
import { type SimulationSummary, SummaryBuilder, summaryLine } from "../runner/summary.js";
import type { Arguments } from "./arguments.js";
import { explainFailures } from "./explain-failures.js";
import { runPool } from "./seed-pool.js";

/** A line of progress is printed so often at most, in milliseconds. */
const progressMs = 2_000;

/** Runs a range of seeds, explains what failed, and prints the verdict. @returns whether nothing failed. */
export async function runMany(options: Arguments, program: URL): Promise<boolean> {
  const { start, seeds, profile, workers, untilFailure } = options;
  const builder = new SummaryBuilder(start);
  let shownAt = 0;
  const onProgress = (): void => {
    if (performance.now() - shownAt < progressMs) return;
    shownAt = performance.now();
    process.stderr.write(`${builder.finished} of ${seeds} seeds, ${builder.failed} failures\n`);
  };
  const timeLimitMs = options.minutes * 60_000;
  await runPool({ program, start, seeds, profile, workers, untilFailure, timeLimitMs, onProgress }, builder);
  await repeat(Math.min(options.repeat, builder.finished), options, builder, program);
  const summary = builder.summary();
  await explainFailures(summary.failures, options, program);
  const isComplete = judgeMarks(summary, profile);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(summary, null, 2)}\n`);
  process.stdout.write(`${summaryLine(summary)}\n`);
  return summary.failed === 0 && isComplete;
}

/** The same seeds in other processes, with another hash seed and heap: whatever differs is a leak of the real world. */
async function repeat(count: number, { start, profile }: Arguments, summary: SummaryBuilder, program: URL): Promise<void> {
  for (let seed = start; seed < start + count; seed++) {
    const own = await runCluster({ seed, profile });
    const flags = [`--hash-seed=${(seed % 1_000_000) + 1}`, "--max-semi-space-size=2"];
    const args = [...flags, fileURLToPath(program), "--seed", String(seed), "--profile", profile];
    const child = promisify(execFile)(process.execPath, args, { env: { ...process.env, TZ: "Pacific/Chatham" } });
    const { stdout } = await child.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }));
    const other = /"hash":"([0-9a-f]+)"/.exec(stdout)?.[1] ?? "none";
    if (other !== own.hash)
      summary.addFailure({ seed, oracle: "determinism", message: `hash ${own.hash} here, ${other} in another process` });
  }
}

/** A profile that is meant to get everywhere must have got everywhere. */
function judgeMarks({ passed, failed, missing }: SimulationSummary, profile: string): boolean {
  if (missing.length === 0 || passed + failed < profileOf(profile).marksFromSeeds) return true;
  process.stderr.write(`these marks were hit by no seed: ${missing.join(", ")}\n`);
  return false;
}
