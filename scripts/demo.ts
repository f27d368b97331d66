/** `pnpm demo`: real processes, real files, and a leader that is killed while it works. */
import { writeFileSync } from "node:fs";
import { buildJavaScript } from "./lib/build-javascript.js";
import { commandLine } from "./lib/command-line.js";
import { repositoryRoot } from "./lib/root.js";

const { values } = commandLine(
  `Stores every file that git tracks in this repository in a replicated key-value store, and loses the leader meanwhile.

usage: pnpm demo [--json FILE]

Three nodes, each a process of its own, on free ports of this machine, with QUIC and mutual TLS between them and their logs on disk.
In the middle the leader's process is killed by SIGKILL; the writes go on through the next leader, the dead node is started again and
catches up, and then every file is compared byte for byte on all three nodes. Everything lies in a temporary directory, which is
removed.

  --json FILE   also write the result there
  --help        print this

The last line counts files and bytes, gives the time without a leader (from the kill to the first write that began after it and was
acknowledged), and says how many files were lost. Exit code: 0 if every file was there on every node, 1 if not, 2 for a wrong command
line.`,
  { json: { type: "string" } },
);

buildJavaScript();
const { runDemo } = await import("./demo/run-demo.js");
const outcome = await runDemo(repositoryRoot);
if (typeof values.json === "string") writeFileSync(values.json, `${JSON.stringify(outcome.json, null, 2)}\n`);
process.stdout.write(`${outcome.verdict}\n`);
process.exitCode = outcome.exitCode;
