#!/usr/bin/env node
import { isMainThread } from "node:worker_threads";
import { type Arguments, help, readArguments } from "./arguments.js";
import { runMany } from "./run-many.js";
import { runOne } from "./run-one.js";
import { serveSeeds } from "./seed-worker.js";

async function main(): Promise<number> {
  let options: Arguments;
  try {
    options = readArguments();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\nTry --help.\n`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(`${help}\n`);
    return 0;
  }
  const { seed } = options;
  if (seed === null) return (await runMany(options, new URL(import.meta.url))) ? 0 : 1;
  const result = await runOne({ ...options, seed });
  process.stdout.write(`${JSON.stringify(result)}\n`);
  return result.failure === null ? 0 : 1;
}

// The program is its own thread file, so that one file is all there is to find.
if (isMainThread) process.exitCode = await main();
else serveSeeds();
