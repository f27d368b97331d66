/** Runs the example as its README says, in a temporary directory, and sees each node read its own write. Exit code 0 if all did. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const limitMs = 60_000;
const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const directory = mkdtempSync(join(tmpdir(), "octopii-example-"));
// Below the range from which systems hand out ports by themselves.
const basePort = 20_000 + (process.pid % 4_000) * 3;

/** The loader is named by its own place, for the working directory has none. */
const loader = import.meta.resolve("tsx");
const run = (name: string, ...args: string[]): ChildProcess =>
  spawn(process.execPath, ["--import", loader, source(name), ...args], {
    cwd: directory,
    env: { ...process.env, BASE_PORT: String(basePort) },
    stdio: ["ignore", "pipe", "inherit"],
  });

const reads = (id: number, child: ChildProcess): Promise<void> =>
  new Promise((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      process.stdout.write(chunk);
      if (String(chunk).includes(`node ${id} reads: hello`)) resolve();
    });
    child.once("exit", (code) => reject(new Error(`node ${id} ended with code ${String(code)}`)));
  });

let nodes: { id: number; child: ChildProcess }[] = [];
const limit = setTimeout(() => {
  console.error(`no success within ${limitMs / 1000} s`);
  process.exitCode = 1;
  for (const { child } of nodes) child.kill("SIGKILL");
}, limitMs);
try {
  await once(run("./certificates.ts"), "exit");
  nodes = [1, 2, 3].map((id) => ({ id, child: run("./node.ts", String(id)) }));
  await Promise.all(nodes.map(({ id, child }) => reads(id, child)));
  console.log("all three nodes read what they wrote");
} finally {
  clearTimeout(limit);
  for (const { child } of nodes) {
    child.removeAllListeners("exit");
    const ended = child.exitCode === null ? once(child, "exit") : null;
    child.kill("SIGINT");
    await ended;
  }
  rmSync(directory, { recursive: true, force: true });
}
