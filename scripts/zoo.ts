/** `pnpm sim:zoo`: plants one bug after the other in a build of the simulator, and says how many seeds it takes to find it. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { commandLine } from "./lib/command-line.js";
import { repositoryRoot } from "./lib/root.js";
import { stale } from "./zoo/breed.js";
import { bugs } from "./zoo/bugs.js";
import { type Catch, hunt } from "./zoo/hunt.js";

/** So many of a hundred must be found. */
const shareWanted = 95;

const { values, positionals } = commandLine(
  `pnpm sim:zoo [word…] [--seeds N] [--start S] [--list] [--json FILE]: looks for planted bugs with simulated clusters.

Each bug is a small patch to the sources of one package, in a build of its own outside the tree. Only those whose names hold one of the words,
or whose package is one, are looked for; all of them if there are none.

  --seeds N    how many seeds each is looked for with (default 300)
  --start S    the first seed (default 1)
  --workers W  threads (default: one per core)
  --json FILE  also write what was found there
  --list       prints the bugs and stops

The last line is "N caught, M escaped, median K seeds". Exit code: 0 if at least ${shareWanted} % were caught, 1 if not.`,
  {
    list: { type: "boolean" },
    seeds: { type: "string" },
    start: { type: "string" },
    workers: { type: "string" },
    json: { type: "string" },
  },
  true,
);

const chosen = bugs.filter(
  ({ name, home }) => positionals.length === 0 || positionals.some((word) => word === home || name.includes(word)),
);
const wide = Math.max(0, ...chosen.map(({ name }) => name.length));
if (values.list === true) {
  for (const { name, home } of chosen) process.stdout.write(`${home.padEnd(6)}  ${name}\n`);
  process.exit(0);
}

// Inside the tree, where what is bundled finds its dependencies; git ignores it.
const workplace = mkdtempSync(join(repositoryRoot, "node_modules/.zoo-"));
process.once("exit", () => rmSync(workplace, { recursive: true, force: true }));
const seeds = Number(values.seeds ?? 300);
const options = { seeds, start: Number(values.start ?? 1), workers: Number(values.workers ?? 2), timeLimitMs: 30 * 60_000 };
const catches: Catch[] = [];
for (const bug of chosen) {
  const unfit = stale(bug);
  const caught =
    unfit.length > 0
      ? { bug, seeds: null, oracle: `does not fit ${unfit[0]?.file ?? ""}`, elapsedMs: 0 }
      : await hunt(bug, workplace, options);
  catches.push(caught);
  const what = caught.seeds === null ? `ESCAPED ${caught.oracle}` : `${String(caught.seeds).padStart(4)} seeds  ${caught.oracle}`;
  process.stderr.write(`${bug.home.padEnd(6)}  ${bug.name.padEnd(wide)}  ${what}  (${(caught.elapsedMs / 1000).toFixed(0)} s)\n`);
}

const found = catches.flatMap(({ seeds: taken }) => taken ?? []).sort((a, b) => a - b);
const median = found[Math.floor((found.length - 1) / 2)] ?? 0;
if (typeof values.json === "string") {
  const rows = catches.map(({ bug, seeds: taken, oracle }) => ({ home: bug.home, name: bug.name, seeds: taken, oracle }));
  writeFileSync(
    values.json,
    `${JSON.stringify({ caught: found.length, escaped: catches.length - found.length, median, bugs: rows }, null, 2)}\n`,
  );
}
process.stdout.write(`${found.length} caught, ${catches.length - found.length} escaped, median ${median} seeds\n`);
process.exit(found.length * 100 >= catches.length * shareWanted ? 0 : 1);
