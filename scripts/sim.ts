/** `pnpm sim`: builds what is missing, then hands everything over to the simulator's own program, which has its own `--help`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "./lib/root.js";
import { failure, run, tool } from "./lib/run.js";

const build = ["run", "build", "--filter=@octopii/simulator...", "--output-logs=errors-only"];
const built = await run(tool("turbo"), build, { output: "capture", timeLimitMs: 10 * 60_000 });
if (failure(built) !== null) {
  process.stderr.write(built.output);
  process.exit(1);
}
const program = join(repositoryRoot, "packages/simulator/dist/adapters/sim-program.js");
// What a seed means depends on the commit, so that stands in the report of a failure.
const head = await run("git", ["rev-parse", "HEAD"], { output: "capture", timeLimitMs: 10_000 });
const commit = failure(head) === null ? head.output.trim() : "";
const env = { ...process.env, OCTOPII_COMMIT: commit };
const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: "inherit", env });
child.once("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
