import { existsSync } from "node:fs";
import { join } from "node:path";
import { script, tool } from "../lib/run.js";

/** A part of `pnpm test`: a command that leaves its counts in a file. */
export interface Part {
  readonly name: string;
  /** The command line, given the file for the counts. */
  readonly command: (countsFile: string) => [command: string, args: readonly string[]];
  /** False where it leaves none: it is one thing that passes or fails. */
  readonly counts: boolean;
  readonly timeLimitMs: number;
}

/** How many simulated clusters a run of the tests tries. */
const freshSeeds = 500;
const minute = 60_000;

/** The parts, in order. */
export function suiteParts(root: string, nowMs: number): Part[] {
  return [
    { name: "build", command: () => script("scripts/build.ts"), counts: false, timeLimitMs: 10 * minute },
    { name: "tests", command: vitest, counts: true, timeLimitMs: 20 * minute },
    counting("check", "scripts/check.ts", [], 10 * minute),
    ...conformance(root),
    // Seeds that no run has seen: they begin at the time of day.
    counting("sim", "scripts/sim.ts", ["--seeds", String(freshSeeds), "--start", String(nowMs)], 20 * minute),
  ];
}

const reporter = join(import.meta.dirname, "tally-reporter.ts");

/** The command that runs the tests. */
export function vitest(countsFile: string): [command: string, args: readonly string[]] {
  return [tool("vitest"), ["run", "--reporter=dot", `--reporter=${reporter}`, `--outputFile.tally=${countsFile}`]];
}

function counting(name: string, path: string, args: readonly string[], timeLimitMs: number): Part {
  return { name, command: (countsFile) => script(path, ...args, "--json", countsFile), counts: true, timeLimitMs };
}

/** Other projects' test data lies beside the repository, on machines that have it. */
function conformance(root: string): Part[] {
  return ["etcd-raft", "porcupine"]
    .map((name) => ({ name, directory: join(root, "../shared/conformance", name) }))
    .filter(({ directory }) => existsSync(directory))
    .map(({ name, directory }) => counting(`conformance ${name}`, "scripts/conformance.ts", [name, directory], 10 * minute));
}
