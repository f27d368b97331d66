/** `pnpm check`: everything about the repository that can be said without running it. */
import { availableParallelism } from "node:os";
import { type Step, schedule } from "./check/schedule.js";
import { checkSteps } from "./check/steps.js";
import { commandLine } from "./lib/command-line.js";
import { type Finished, failure, run } from "./lib/run.js";
import { deliver, seconds } from "./lib/verdict.js";

const names = checkSteps.map(({ name }) => name);
const { values, positionals } = commandLine(
  `pnpm check [step…] [--json FILE]: everything that can be said without running it.

Steps (all, unless some are named): ${names.join(", ")}.

  --json FILE   writes the counts and each step's time

The last line is "N passed, N failed"; exit 0 when none failed.`,
  { json: { type: "string" } },
  true,
);

const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no such step: ${unknown.join(", ")}; the steps are ${names.join(", ")}\n`);
  process.exit(2);
}

const timeLimitMs = 10 * 60_000;
const outputs: string[] = [];

async function runStep({ name, command, args }: Step): Promise<{ name: string; reason: string | null; elapsedMs: number }> {
  const finished: Finished = await run(command, args, { output: "capture", timeLimitMs });
  const reason = failure(finished);
  process.stderr.write(`${reason === null ? "ok    " : "FAILED"} ${name.padEnd(16)} ${seconds(finished.elapsedMs).padStart(7)}\n`);
  if (reason !== null) outputs.push(`\n──── ${name}: ${reason}\n${finished.output.trim()}\n`);
  return { name, reason, elapsedMs: finished.elapsedMs };
}

const started = performance.now();
const chosen = positionals.length === 0 ? checkSteps : checkSteps.filter(({ name }) => positionals.includes(name));
const alone = chosen.map((step) => ({ ...step, after: step.after.filter((name) => chosen.some((other) => other.name === name)) }));
const results = await schedule(alone, availableParallelism(), runStep);
for (const output of outputs) process.stderr.write(output);
const failed = results.filter(({ reason }) => reason !== null).length;
process.stderr.write(`\nchecked in ${seconds(performance.now() - started)}\n`);
deliver({ passed: results.length - failed, failed }, typeof values.json === "string" ? values.json : undefined, { steps: results });
