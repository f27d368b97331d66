import { spawnSync } from "node:child_process";
import { script } from "./run.js";

/**
 * Builds what running needs; turbo makes that short where nothing has changed. It says nothing unless the build fails: then what the
 * tools said goes to stderr, and this process ends with 1.
 */
export function buildJavaScript(): void {
  const [command, args] = script("scripts/build.ts", "--js");
  const isTerminal = process.stderr.isTTY === true;
  if (isTerminal) process.stderr.write("building what has changed…");
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    stdio: ["ignore", "pipe", "pipe"],
    maxBuffer: 64 * 1024 * 1024,
  });
  if (isTerminal) process.stderr.write("\r\x1b[K");
  if (status === 0) return;
  // Ctrl-C went to the build too, which says nothing more.
  if (signal === "SIGINT" || status === 130) process.exit(130);
  process.stderr.write(Buffer.concat([stdout ?? Buffer.alloc(0), stderr ?? Buffer.alloc(0)]));
  process.stderr.write(`The build failed${error === undefined ? "" : `: ${error.message}`}.\n`);
  process.exit(1);
}
