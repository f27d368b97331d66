/** `pnpm bench`: our figures beside their peers', in one run. */
import { spawnSync } from "node:child_process";
import { resolve } from "node:path";
import { buildJavaScript } from "./lib/build-javascript.js";
import { commandLine } from "./lib/command-line.js";
import { repositoryRoot } from "./lib/root.js";

const { values, positionals } = commandLine(
  `Measures our figures beside their peers', in one run on one machine. See that nothing else runs meanwhile.

usage: pnpm bench [NAME...] [--json FILE]

  NAME         what to measure; default all
                 raft       proposals per second of three replicas in memory, and the heap over ten million entries
                 transport  QUIC and TCP: bulk, echo, a stream for each call, and the memory of 10,000 streams
                 walrus     the log beside the bare disk and fio, on the disk of this checkout or of OCTOPII_BENCH_DIRECTORY; needs 11 GB there
  --json FILE  also write every figure, sample and peer there
  --help       print this

The last line counts goals met and missed. Exit code: 0 if none was missed and no peer is missing, 1 if not, 2 for a wrong command line.`,
  { json: { type: "string" } },
  true,
);

buildJavaScript();
const json = typeof values.json === "string" ? ["--json", resolve(values.json)] : [];
// A process of its own, so that nothing of ours is on its heap, and with the collector at hand.
const { status } = spawnSync(process.execPath, ["--expose-gc", "--import", "tsx", "src/main.ts", ...positionals, ...json], {
  cwd: resolve(repositoryRoot, "bench"),
  stdio: "inherit",
});
process.exitCode = status ?? 1;
