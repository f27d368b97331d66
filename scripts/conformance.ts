import { CountingReport, type Report } from "./conformance/report.js";
import { commandLine } from "./lib/command-line.js";
import { deliver } from "./lib/verdict.js";

/** Replays one project's test data from `dir`. */
interface Suite {
  run(dir: string, report: Report): Promise<void>;
}

const suites: Readonly<Record<string, () => Promise<Suite>>> = {
  "etcd-raft": () => import("./conformance/etcd-raft.js"),
  porcupine: () => import("./conformance/porcupine.js"),
};

const help = `Replays other projects' test data. The data is read from DIR and never copied.

usage: pnpm conformance SUITE DIR [--json FILE]

  etcd-raft DIR    a checkout of etcd-io/raft, or a folder with its quorum/ and confchange/ data
  porcupine DIR    a checkout of anishathalye/porcupine, or a folder with its test data

  --json FILE      also write the result there: { passed, failed, suite, failures, notes }
  --help           print this

The last line is "N passed, N failed". Exit code: 0 if cases ran and none failed, 1 if not, 2 for a wrong command line.`;

function refuseCommandLine(complaint: string): never {
  process.stderr.write(`${complaint}\nTry --help.\n`);
  process.exit(2);
}

const { values, positionals } = commandLine(help, { json: { type: "string" } }, true);
const [suite = "", dir = "", ...rest] = positionals;
const load = Object.hasOwn(suites, suite) ? suites[suite] : undefined;
if (load === undefined) refuseCommandLine(`Name a suite: ${Object.keys(suites).join(" or ")}.`);
if (dir === "" || rest.length > 0) refuseCommandLine("Name one folder that holds the data.");

const report = new CountingReport((text) => process.stderr.write(`${text}\n`));
try {
  const { run } = await load();
  await run(dir, report);
} catch (error) {
  report.failed(suite, error instanceof Error ? (error.stack ?? error.message) : String(error));
}
const { passed, failed, ...details } = report.summary();
if (passed + failed === 0) report.note(`No cases found in ${dir}.`);
deliver({ passed, failed }, typeof values.json === "string" ? values.json : undefined, { suite, ...details });
