/** `pnpm build`: every package's JavaScript by tsup and declarations by tsc, both only where something changed. */
import { join } from "node:path";
import { prune } from "./build/prune.js";
import { commandLine } from "./lib/command-line.js";
import { repositoryRoot } from "./lib/root.js";
import { failure, run, tool } from "./lib/run.js";
import { seconds } from "./lib/verdict.js";
import { workspacePackages } from "./lib/workspace.js";

const { values } = commandLine(
  `pnpm build [--js]: builds what changed since the last build.

  --js   JavaScript only: all that running needs

Exit 0 when everything was built.`,
  { js: { type: "boolean" } },
);

const timeLimitMs = 10 * 60_000;
const packages = workspacePackages(repositoryRoot);
const folders = packages.map(({ directory }) => directory);
const jobs: Record<string, [command: string, args: string[]]> = {
  JavaScript: [tool("turbo"), ["run", "build", "--output-logs=errors-only"]],
  ...(values.js !== true && { declarations: [tool("tsc"), ["-b", "--pretty", "false", ...folders]] }),
};

const results = Object.entries(jobs).map(async ([name, [command, args]]) => {
  const finished = await run(command, args, { output: "capture", timeLimitMs });
  const reason = failure(finished);
  console.error(`${reason === null ? "built" : "failed"} ${name} in ${seconds(finished.elapsedMs)}`);
  if (reason !== null) console.error(`${finished.output}${name}: ${reason}`);
  return reason === null;
});

if ((await Promise.all(results)).includes(false)) {
  process.exitCode = 1;
} else {
  for (const one of packages)
    for (const path of prune(one)) console.error(`removed ${join("packages", one.folder, path)}: nothing needs it`);
}
