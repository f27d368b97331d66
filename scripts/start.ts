/** `pnpm start`: a three-node cluster on this machine. It is `octopii dev`, built when something has changed, with its arguments passed on. */
import { buildJavaScript } from "./lib/build-javascript.js";
import { watchLaunchers } from "./lib/launchers.js";

buildJavaScript();
// In this process, so that the terminal and its signals have one owner.
const { run } = await import("../packages/cli/dist/index.js");
const { stdin, stdout, stderr, env } = process;
// pnpm hands on the `--` that some people write before the options of a script.
const options = process.argv.slice(process.argv[2] === "--" ? 3 : 2);
const endWatch = watchLaunchers(() => process.kill(process.pid, "SIGTERM"));
process.exitCode = await run(["dev", ...options], { stdin, stdout, stderr, env });
endWatch();
