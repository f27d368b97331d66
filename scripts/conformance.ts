import { join } from "node:path";
import { CountingReport, type Report } from "./conformance/report.js";
import { commandLine } from "./lib/command-line.js";
import { repositoryRoot } from "./lib/root.js";
import { deliver } from "./lib/verdict.js";

/** Replays one project's test data from `dir`. */
interface Suite {
  run(dir: string, report: Report): Promise<void>;
  /** Takes what is printed now for right. Only for data of our own. */
  rewrite?(dir: string): Promise<void>;
}

const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  "etcd-raft": () => import("./conformance/etcd-raft.js"),
  octopii: () => import("./conformance/octopii.js"),
  porcupine: () => import("./conformance/porcupine.js"),
};

/** Suites that have data of their own. */
const ownData: Readonly<Record<string, string>> = { octopii: join(repositoryRoot, "scripts/conformance/scenarios") };

const help = `Replays test data: other projects', which is read from DIR and never copied, and our own.

usage: pnpm conformance SUITE [DIR] [--json FILE]

  etcd-raft DIR    a checkout of etcd-io/raft, or a folder with its quorum/, confchange/ and interaction/ data
  octopii [DIR]    our own scenarios of the Raft core, in the same language; the default is where they are
  porcupine DIR    a checkout of anishathalye/porcupine, or a folder with its test data

  --json FILE      also write the result there: { passed, failed, suite, failures, notes }
  --rewrite        octopii only: write what the scenarios print into their files before, to be reviewed line by line
  --help           print this

The last line is "N passed, N failed". Exit code: 0 if cases ran and none failed, 1 if not, 2 for a wrong command line.`;

function refuseCommandLine(complaint: string): never {
  process.stderr.write(`${complaint}\nTry --help.\n`);
  process.exit(2);
}

const { values, positionals } = commandLine(help, { json: { type: "string" }, rewrite: { type: "boolean" } }, true);
const [suite = "", given = "", ...rest] = positionals;
const dir = given === "" && Object.hasOwn(ownData, suite) ? (ownData[suite] ?? "") : given;
const load = Object.hasOwn(suites, suite) ? suites[suite] : undefined;
if (load === undefined) refuseCommandLine(`Name a suite: ${Object.keys(suites).join(" or ")}.`);
if (dir === "" || rest.length > 0) refuseCommandLine("Name one folder that holds the data.");

const report = new CountingReport((text) => process.stderr.write(`${text}\n`));
try {
  const { run, rewrite } = await load();
  if (values.rewrite === true) {
    if (rewrite === undefined) refuseCommandLine(`The data of ${suite} is not ours to rewrite.`);
    await rewrite(dir);
  }
  await run(dir, report);
} catch (error) {
  report.failed(suite, error instanceof Error ? (error.stack ?? error.message) : String(error));
}
const { passed, failed, ...details } = report.summary();
if (passed + failed === 0) report.note(`No cases found in ${dir}.`);
deliver({ passed, failed }, typeof values.json === "string" ? values.json : undefined, { suite, ...details });
