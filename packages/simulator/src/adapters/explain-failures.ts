import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { ClusterPlan } from "../plan/plan.js";
import { planOf } from "../run/cluster-run.js";
import { differences, type Shrunk, shrink } from "../runner/shrink.js";
import type { SeedFailure } from "../runner/summary.js";
import type { Arguments } from "./arguments.js";
import { runOne } from "./run-one.js";
import { SeedThread } from "./seed-thread.js";

/** So many failures are made smaller; the others are only named. */
const shrunkMax = 3;
/** So many runs are tried for each. */
const attemptsMax = 1_000;

/** Says of each failure how to repeat it, and makes the first ones smaller. */
export async function explainFailures(failures: readonly SeedFailure[], options: Arguments, program: URL): Promise<void> {
  let left = options.shrinkSeconds === 0 ? 0 : shrunkMax;
  for (const failure of failures) {
    const { seed, oracle, message } = failure;
    const { profile } = options;
    process.stderr.write(`seed ${seed} failed: ${message}\n  replay: pnpm sim --seed ${seed} --profile ${profile} (oracle: ${oracle})\n`);
    if (oracle === "watchdog" || oracle === "determinism") continue;
    const drawn = planOf({ seed, profile });
    const shrunk = left-- > 0 ? await shrinkSeed(failure, drawn, options, program) : null;
    const plan = shrunk === null ? {} : differences(shrunk.plan, drawn);
    if (shrunk !== null) process.stderr.write(`  shrunk: ${describe(shrunk)}\n  replay: ${replayCommand(seed, profile, plan)}\n`);
    if (options.report !== null) await writeReport(options.report, failure, profile, plan);
  }
}

async function shrinkSeed(failure: SeedFailure, drawn: ClusterPlan, options: Arguments, program: URL): Promise<Shrunk | null> {
  const { seed } = failure;
  const { profile, shrinkSeconds } = options;
  const end = performance.now() + shrinkSeconds * 1000;
  let thread = new SeedThread(program);
  const attempt = async (plan: ClusterPlan): ReturnType<Parameters<typeof shrink>[2]> => {
    const result = await thread.run({ seed, profile, plan });
    if (typeof result !== "string") return result;
    await thread.stop();
    thread = new SeedThread(program);
    return null;
  };
  try {
    return await shrink(drawn, failure, attempt, { attempts: attemptsMax, isOver: () => performance.now() > end });
  } finally {
    await thread.stop();
  }
}

function describe({ plan, trial, attempts }: Shrunk): string {
  const operations = plan.keep.operations?.length ?? trial.last.operations;
  const what = Object.entries({ ...trial.faults, ...trial.changes }).map(([kind, count]) => `${count} ${kind}`);
  const faults = what.length === 0 ? "no faults" : what.join(", ");
  return `${plan.nodes} nodes, ${plan.clients} clients, ${operations} operations, ${faults}, ${trial.events} events (${attempts} runs tried)`;
}

function replayCommand(seed: number, profile: string, plan: Partial<ClusterPlan>): string {
  return `pnpm sim --seed ${seed} --profile ${profile} --plan '${JSON.stringify(plan)}'`;
}

async function writeReport(directory: string, failure: SeedFailure, profile: string, plan: Partial<ClusterPlan>): Promise<void> {
  mkdirSync(directory, { recursive: true });
  const { seed } = failure;
  const name = join(directory, `seed-${seed}`);
  const commit = process.env.OCTOPII_COMMIT ?? null;
  const configuration = planOf({ seed, profile, plan });
  const report = { ...failure, commit, profile, configuration, plan, replay: replayCommand(seed, profile, plan) };
  writeFileSync(`${name}.json`, `${JSON.stringify(report, null, 2)}\n`);
  await runOne({ seed, profile, plan, trace: `${name}.ndjson`, view: `${name}.html`, edn: `${name}.edn`, history: null });
}
