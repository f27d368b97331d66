/** `pnpm sim:long`: one more chunk of simulated clusters, where the last one ended, and a line about it in docs/EVIDENCE.md. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine } from "./lib/command-line.js";
import { nextSeed, simulationRows, withSimulationRow } from "./lib/evidence.js";
import { repositoryRoot } from "./lib/root.js";
import { run, script } from "./lib/run.js";

const { values } = commandLine(
  `pnpm sim:long [--minutes M] [--seeds N] [--profile P]: simulated clusters, from the first seed that docs/EVIDENCE.md has not covered yet.

  --minutes M   begin no further seed after this long (default 28)
  --seeds N     not more than so many (default 100,000)
  --profile P   default nightly

Adds a line to docs/EVIDENCE.md, whatever the verdict. Exit code: as pnpm sim.`,
  { minutes: { type: "string" }, seeds: { type: "string" }, profile: { type: "string" } },
);

const evidence = join(repositoryRoot, "docs/EVIDENCE.md");
const profile = String(values.profile ?? "nightly");
const minutes = String(values.minutes ?? 28);
const first = nextSeed(simulationRows(readFileSync(evidence, "utf8")), profile);
const workplace = mkdtempSync(join(tmpdir(), "octopii-sim-"));
process.once("exit", () => rmSync(workplace, { recursive: true, force: true }));
const json = join(workplace, "verdict.json");

const range = ["--seeds", String(values.seeds ?? 100_000), "--start", String(first), "--minutes", minutes];
const [command, args] = script("scripts/sim.ts", ...range, "--profile", profile, "--json", json);
const { code } = await run(command, args, { output: "stderr", timeLimitMs: (Number(minutes) + 30) * 60_000 });

const verdict = JSON.parse(readFileSync(json, "utf8")) as {
  readonly passed: number;
  readonly failed: number;
  readonly operations: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly hash: string;
};
const head = await run("git", ["rev-parse", "--short", "HEAD"], { output: "capture", timeLimitMs: 10_000 });
const row = {
  date: new Date().toISOString().slice(0, 10),
  commit: head.output.trim(),
  profile,
  first,
  last: first + verdict.passed + verdict.failed - 1,
  operations: verdict.operations,
  faults: Object.values(verdict.faults).reduce((sum, count) => sum + count, 0),
  failures: verdict.failed,
  hash: verdict.hash,
};
writeFileSync(evidence, withSimulationRow(readFileSync(evidence, "utf8"), row));
process.exit(code ?? 1);
