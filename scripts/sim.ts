/** `pnpm sim`: builds what is missing, then hands everything over to the simulator's own program, which has its own `--help`. */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "./lib/root.js";
import { failure, run, script } from "./lib/run.js";

const built = await run(...script("scripts/build.ts", "--js"), { output: "capture", timeLimitMs: 10 * 60_000 });
if (failure(built) !== null) {
  process.stderr.write(built.output);
  process.exit(1);
}
const program = join(repositoryRoot, "packages/simulator/dist/adapters/sim-program.js");
const child = spawn(process.execPath, [program, ...process.argv.slice(2)], { stdio: "inherit" });
child.once("exit", (code, signal) => process.exit(signal === null ? (code ?? 1) : 1));
