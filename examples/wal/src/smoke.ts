/** Runs the tour twice on one temporary directory, and compares what it says. Exit code 0 if both times were right. */
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const directory = mkdtempSync(join(tmpdir(), "octopii-example-"));
const loader = import.meta.resolve("tsx");

async function tour(expected: readonly string[]): Promise<void> {
  const main = fileURLToPath(new URL("./main.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", loader, main, directory], { timeout: 60_000 });
  process.stdout.write(stdout);
  for (const line of expected) if (!stdout.split("\n").includes(line)) throw new Error(`it should have said "${line}"`);
}

try {
  await tour([
    "a new log",
    "orders: 5, audit: 2",
    "peek: tea, coffee",
    "billing: tea, coffee",
    "shipping: tea, coffee, cocoa",
    "billing goes on: cocoa, milk, water",
    "shipping goes on: milk, water",
    "the newest: water",
    "audit: 0, closed cleanly before: true",
  ]);
  await tour(["5 orders from before", "orders: 10, audit: 2", "billing: tea, coffee", "the newest: water"]);
  console.log("the log kept everything, and both cursors their places");
} finally {
  rmSync(directory, { recursive: true, force: true });
}
