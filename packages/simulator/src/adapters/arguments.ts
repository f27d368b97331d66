import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { ClusterPlan } from "../plan/plan.js";
import { profileOf, profiles } from "../plan/profiles.js";

/** What `--help` prints. */
export const help: string = `Runs simulated clusters: whole nodes in one process, under the faults that each seed draws.

usage: pnpm sim [--seeds N] [--start S] [--profile P] [--minutes M] [--workers W] [--json FILE] [--report DIR]
       pnpm sim --seed X [--profile P] [--plan JSON] [--trace FILE] [--view FILE] [--edn FILE] [--history FILE]

  --seeds N      how many seeds to run (default 100)
  --start S      the first seed (default: fresh ones, from the clock)
  --profile P    what seeds draw from (default swarm):
${Object.values(profiles)
  .map(({ name, summary }) => `                   ${name.padEnd(11)} ${summary}`)
  .join("\n")}
  --minutes M    begin no further seed after this long
  --workers W    threads (default: one per core)
  --repeat K     run the first K seeds again in another process, and compare the hashes (default 3)
  --until-failure  begin no further seed once one has failed
  --shrink S     spend up to S seconds on making each of the first failures smaller (default 60; 0: not at all)
  --json FILE    also write the verdict there: { passed, failed, start, operations, faults, failures, hash, … }
  --report DIR   write each failure there: its plan, its trace, a page to look at it, and the history

  --seed X       run one seed alone and print what it did
  --plan JSON    takes the place of what the seed draws: what a shrunk run is repeated with
  --trace FILE   write every event of that run as NDJSON
  --view FILE    write one HTML page with what happened on each node
  --edn FILE     write the clients' history as Jepsen's EDN; --history FILE as JSON

The last line counts seeds, operations, faults by kind and failures, and gives a hash of the run. Exit code: 0 if nothing failed, 1 if
something did, 2 for a wrong command line.

  pnpm sim --seeds 500
  pnpm sim --seed 52 --view run.html`;

/** A command line, read. */
export interface Arguments {
  readonly help: boolean;
  readonly seeds: number;
  readonly start: number;
  readonly profile: string;
  readonly minutes: number;
  readonly workers: number;
  readonly repeat: number;
  readonly untilFailure: boolean;
  readonly shrinkSeconds: number;
  readonly json: string | null;
  readonly report: string | null;
  readonly seed: number | null;
  readonly plan: Partial<ClusterPlan>;
  readonly trace: string | null;
  readonly view: string | null;
  readonly edn: string | null;
  readonly history: string | null;
}

const text = { type: "string" } as const;
const flag = { type: "boolean" } as const;
const options = {
  seeds: text,
  start: text,
  profile: text,
  minutes: text,
  workers: text,
  repeat: text,
  shrink: text,
  json: text,
  report: text,
  seed: text,
  plan: text,
  trace: text,
  view: text,
  edn: text,
  history: text,
  "until-failure": flag,
  help: { type: "boolean", short: "h" },
} as const;

/** @throws what is wrong with the command line, as a sentence. */
export function readArguments(): Arguments {
  const { values } = parseArgs({ options });
  const number = (
    name: "seeds" | "start" | "minutes" | "workers" | "repeat" | "shrink" | "seed",
    fallback: number,
    least: number,
  ): number => {
    const given = values[name];
    const value = given === undefined ? fallback : Number(given);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new RangeError(`--${name} takes a whole number from ${least}, not ${String(given)}`);
  };
  return {
    help: values.help ?? false,
    seeds: number("seeds", 100, 1),
    start: number("start", Date.now(), 0),
    profile: profileOf(values.profile ?? "swarm").name,
    minutes: number("minutes", 24 * 60, 1),
    workers: number("workers", availableParallelism(), 1),
    repeat: number("repeat", 3, 0),
    untilFailure: values["until-failure"] ?? false,
    shrinkSeconds: number("shrink", 60, 0),
    json: values.json ?? null,
    report: values.report ?? null,
    seed: values.seed === undefined ? null : number("seed", 0, 0),
    plan: readPlan(values.plan),
    trace: values.trace ?? null,
    view: values.view ?? null,
    edn: values.edn ?? null,
    history: values.history ?? null,
  };
}

function readPlan(json: string | undefined): Partial<ClusterPlan> {
  if (json === undefined) return {};
  const value: unknown = JSON.parse(json);
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new RangeError("--plan takes a JSON object, as a failed run prints it");
}
