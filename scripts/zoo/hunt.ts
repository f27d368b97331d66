import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { run } from "../lib/run.js";
import { breed } from "./breed.js";
import type { Bug } from "./bug.js";

/** How hard a bug is looked for. */
export interface HuntOptions {
  readonly seeds: number;
  readonly start: number;
  readonly workers: number;
  readonly timeLimitMs: number;
}

/** What became of a bug. */
export interface Catch {
  readonly bug: Bug;
  /** How many seeds had been run when it showed; null if it did not. */
  readonly seeds: number | null;
  /** The promise that it broke, or what went wrong with the hunt. */
  readonly oracle: string;
  readonly elapsedMs: number;
}

/** What the program says with `--json`. */
interface Verdict {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly { readonly seed: number; readonly oracle: string }[];
}

/** Runs seeds against a build with the bug in it until one fails. */
export async function hunt(bug: Bug, workplace: string, options: HuntOptions): Promise<Catch> {
  const begun = performance.now();
  const directory = join(workplace, bug.name.replace(/[^a-z0-9]+/gi, "-"));
  try {
    const program = await breed(bug, directory);
    const json = join(directory, "verdict.json");
    const { seeds, start, workers, timeLimitMs } = options;
    const range = ["--seeds", String(seeds), "--start", String(start), "--workers", String(workers)];
    const manner = ["--until-failure", "--shrink", "0", "--repeat", "0", "--profile", bug.profile ?? "swarm", "--json", json];
    const ran = await run(process.execPath, [program, ...range, ...manner], { output: "capture", timeLimitMs });
    const { failures } = JSON.parse(readFileSync(json, "utf8")) as Verdict;
    const first = failures[0];
    const elapsedMs = ran.elapsedMs;
    if (first === undefined) return { bug, seeds: null, oracle: "", elapsedMs };
    return { bug, seeds: first.seed - start + 1, oracle: first.oracle, elapsedMs };
  } catch (error) {
    return {
      bug,
      seeds: null,
      oracle: `no hunt: ${error instanceof Error ? error.message : String(error)}`,
      elapsedMs: performance.now() - begun,
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
