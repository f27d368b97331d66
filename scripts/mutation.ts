/** `pnpm mutation`: breaks @octopii/raft in one way after the other, in a copy, and says which test notices. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { commandLine } from "./lib/command-line.js";
import { seconds } from "./lib/verdict.js";
import { mutations } from "./mutation/mutations.js";
import { type Fate, runAll } from "./mutation/run-all.js";
import { failedTests, unloadable, Workbench } from "./mutation/workbench.js";

const { values, positionals } = commandLine(
  `pnpm mutation [word…] [--list]: runs the tests of @octopii/raft against deliberate mistakes, each in a copy of the package.

Only the mutations whose names hold one of the words are tried; all of them if there are none.

  --list   prints the mutations and stops

The last line is "N caught, M survived"; one that no longer fits the source counts among the latter. Exit code: 0 if none survived, 1 if one
did, 2 if the tests do not run at all.`,
  { list: { type: "boolean" } },
  true,
);

const chosen = mutations.filter(({ name }) => positionals.length === 0 || positionals.some((word) => name.includes(word)));
const wide = Math.max(0, ...chosen.map(({ name }) => name.length));
if (values.list === true) {
  for (const { name, file } of chosen) process.stdout.write(`${name.padEnd(wide)}  ${file}\n`);
  process.exit(0);
}

// What a broken replica does wrong is not to be looked into.
process.env.OCTOPII_TEST_SHRINK = "0";
const workplace = mkdtempSync(join(tmpdir(), "octopii-mutation-"));
process.once("exit", () => rmSync(workplace, { recursive: true, force: true }));
const benches = ["left", "right"].map((name) => new Workbench(join(workplace, name)));

const stale = new Set(chosen.filter((mutation) => benches[0]?.fits(mutation) !== true));
for (const { name, file } of stale)
  process.stderr.write(`${name}: what it replaces does not occur exactly once in ${file}; bring it up to date\n`);
if (chosen.length === 0) {
  process.stderr.write("No mutation has such a name; see --list.\n");
  process.exit(2);
}

process.stderr.write("The tests as they are…\n");
const healthy = await benches[0]?.test([]);
const known = new Set(healthy === undefined ? [] : failedTests(healthy).keys());
for (const name of known) process.stderr.write(`fails without any mutation, and so proves nothing: ${name}\n`);
const obstacle = healthy === undefined ? "" : unloadable(healthy);
if (healthy === undefined || obstacle !== null) {
  process.stderr.write(`The tests do not run.\n${obstacle}\n`);
  process.exit(2);
}

for (const bench of benches) bench.expect(healthy.elapsedMs);

const describe = ({ mutation, caughtBy, elapsedMs }: Fate): string => {
  const verdict = caughtBy === null ? "SURVIVED" : "caught  ";
  const by = caughtBy === null ? "" : `${caughtBy.test}\n${" ".repeat(10)}${caughtBy.complaint}`;
  return `${verdict}  ${mutation.name.padEnd(wide)}  ${seconds(elapsedMs).padStart(7)}  ${by}`;
};
const fresh = chosen.filter((mutation) => !stale.has(mutation));
const fates = await runAll(benches, fresh, known, (fate) => process.stderr.write(`${describe(fate)}\n`));

process.stdout.write(`\n${fates.map(describe).join("\n")}\n`);
const caught = fates.filter(({ caughtBy }) => caughtBy !== null).length;
process.stdout.write(`${caught} caught, ${chosen.length - caught} survived\n`);
process.exitCode = caught === chosen.length ? 0 : 1;
