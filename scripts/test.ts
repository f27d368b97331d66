/** `pnpm test`: everything that must pass. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine } from "./lib/command-line.js";
import { repositoryRoot } from "./lib/root.js";
import { deliver, seconds, verdictLine } from "./lib/verdict.js";
import { type Outcome, runPart } from "./suite/run-part.js";
import { suiteParts } from "./suite/steps.js";

const parts = suiteParts(repositoryRoot, Date.now());
const names = parts.map(({ name }) => name);
const { values, positionals } = commandLine(
  `pnpm test [part…] [--json FILE]: runs everything that must pass.

Parts (all, unless some are named): ${names.join(", ")}.
The conformance parts are there when ../shared/conformance is.

  --json FILE   writes the counts and each part's time

The last line is "N passed, N failed", summed over the parts; exit 0 when none failed.`,
  { json: { type: "string" } },
  true,
);

const unknown = positionals.filter((name) => !names.includes(name));
if (unknown.length > 0) {
  process.stderr.write(`no such part: ${unknown.join(", ")}; the parts are ${names.join(", ")}\n`);
  process.exit(2);
}

const workplace = mkdtempSync(join(tmpdir(), "octopii-test-"));
process.once("exit", () => rmSync(workplace, { recursive: true, force: true }));
const outcomes: Outcome[] = [];
for (const part of parts) {
  if (positionals.length > 0 && !positionals.includes(part.name)) continue;
  process.stderr.write(`\n════ ${part.name}\n`);
  outcomes.push(await runPart(part, join(workplace, `${outcomes.length}.json`)));
}

process.stderr.write("\n");
for (const { name, passed, failed, problem, elapsedMs } of outcomes) {
  const mark = failed === 0 ? "ok    " : "FAILED";
  const note = problem === null ? "" : ` (${problem})`;
  process.stderr.write(`${mark} ${name.padEnd(22)} ${seconds(elapsedMs).padStart(8)}   ${verdictLine({ passed, failed })}${note}\n`);
}
// Once more at the end, where whoever sees only the last lines finds it.
for (const failure of outcomes.flatMap(({ failures }) => failures)) process.stderr.write(`FAILED ${failure}\n`);
const sum = (pick: (outcome: Outcome) => number) => outcomes.reduce((total, outcome) => total + pick(outcome), 0);
const total = { passed: sum(({ passed }) => passed), failed: sum(({ failed }) => failed) };
deliver(total, typeof values.json === "string" ? values.json : undefined, { parts: outcomes });
