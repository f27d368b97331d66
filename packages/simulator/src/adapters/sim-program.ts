#!/usr/bin/env node
import { execFile } from "node:child_process";
import { createWriteStream, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { isMainThread } from "node:worker_threads";
import { runCluster } from "../cluster/run-cluster.js";
import { SummaryBuilder, summaryLine } from "../runner/summary.js";
import { runPool } from "./seed-pool.js";
import { serveSeeds } from "./seed-worker.js";

const help = `Runs simulated clusters: whole nodes in one process, under the faults that each seed draws.

usage: pnpm sim [--seeds N] [--start S] [--minutes M] [--workers W] [--json FILE]
       pnpm sim --seed X [--trace FILE]

  --seeds N      how many seeds to run (default 100)
  --start S      the first seed (default: fresh ones, from the clock)
  --minutes M    begin no further seed after this long
  --workers W    threads (default: one per core)
  --repeat K     run the first K seeds again in another process, and compare the hashes (default 3)
  --seed X       run one seed alone and print what it did
  --trace FILE   write every event of that run as NDJSON
  --json FILE    also write the verdict there: { passed, failed, start, operations, faults, failures, hash, … }

The last line counts seeds, operations, faults and failures, and gives a hash of the run. Exit code: 0 if nothing failed, 1 if
something did, 2 for a wrong command line.

  pnpm sim --seeds 500
  pnpm sim --seed 52 --trace trace.ndjson`;

interface Arguments {
  readonly seeds: number;
  readonly start: number;
  readonly minutes: number;
  readonly workers: number;
  readonly repeat: number;
  readonly seed: number | null;
  readonly trace: string | null;
  readonly json: string | null;
}

function readArguments(): Arguments {
  const text = { type: "string" } as const;
  const options = { seeds: text, start: text, minutes: text, workers: text, repeat: text, seed: text, trace: text, json: text };
  const { values } = parseArgs({ options: { ...options, help: { type: "boolean", short: "h" } } });
  if (values.help === true) {
    process.stdout.write(`${help}\n`);
    process.exit(0);
  }
  const number = (name: keyof typeof options, fallback: number, least: number): number => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new RangeError(`--${name} takes a whole number from ${least}, not ${String(given)}`);
  };
  return {
    seeds: number("seeds", 100, 1),
    start: number("start", Date.now(), 0),
    minutes: number("minutes", 24 * 60, 1),
    workers: number("workers", availableParallelism(), 1),
    repeat: number("repeat", 3, 0),
    seed: values.seed === undefined ? null : number("seed", 0, 0),
    trace: values.trace ?? null,
    json: values.json ?? null,
  };
}

/** One seed, in this process. */
async function runOne(seed: number, traceFile: string | null): Promise<boolean> {
  const sink = traceFile === null ? null : createWriteStream(traceFile);
  const onTrace = (record: object): void => {
    sink?.write(`${JSON.stringify(record)}\n`);
  };
  const result = await runCluster(sink === null ? { seed } : { seed, onTrace });
  await new Promise<void>((resolve) => (sink === null ? resolve() : sink.end(resolve)));
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.failure === null;
}

/** The same seeds in other processes, with another hash seed and heap: whatever differs is a leak of the real world. */
async function repeat(seeds: readonly number[], summary: SummaryBuilder): Promise<void> {
  for (const seed of seeds) {
    const own = await runCluster({ seed });
    const flags = [`--hash-seed=${(seed % 1_000_000) + 1}`, "--max-semi-space-size=2"];
    const child = promisify(execFile)(process.execPath, [...flags, fileURLToPath(import.meta.url), "--seed", String(seed)]);
    const { stdout } = await child.catch((error: { stdout?: string }) => ({ stdout: error.stdout ?? "" }));
    const other = /"hash":"([0-9a-f]+)"/.exec(stdout)?.[1] ?? "none";
    if (other !== own.hash)
      summary.addFailure({ seed, oracle: "determinism", message: `hash ${own.hash} here, ${other} in another process` });
  }
}

async function runMany(options: Arguments): Promise<boolean> {
  const builder = new SummaryBuilder(options.start);
  let shownAt = 0;
  const onProgress = (): void => {
    if (performance.now() - shownAt < 2_000) return;
    shownAt = performance.now();
    process.stderr.write(`${builder.finished} of ${options.seeds} seeds, ${builder.failed} failures\n`);
  };
  const { start, seeds, workers } = options;
  await runPool({ program: new URL(import.meta.url), start, seeds, workers, timeLimitMs: options.minutes * 60_000, onProgress }, builder);
  await repeat(
    Array.from({ length: Math.min(options.repeat, seeds) }, (_, i) => start + i),
    builder,
  );
  const summary = builder.summary();
  for (const { seed, oracle, message } of summary.failures) {
    process.stderr.write(`seed ${seed} failed: ${message}\n  replay: pnpm sim --seed ${seed} --trace trace.ndjson (oracle: ${oracle})\n`);
  }
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(summary, null, 2)}\n`);
  process.stdout.write(`${summaryLine(summary)}\n`);
  return summary.failed === 0;
}

async function main(): Promise<number> {
  let options: Arguments;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nTry --help.\n`);
    return 2;
  }
  const good = options.seed === null ? await runMany(options) : await runOne(options.seed, options.trace);
  return good ? 0 : 1;
}

// The program is its own thread file, so that one file is all there is to find.
if (isMainThread) process.exitCode = await main();
else serveSeeds();
