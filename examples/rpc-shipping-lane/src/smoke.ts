/** Runs the example as its README says, in a temporary directory, and holds what it prints and leaves against it. Exit code 0 if all fits. */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const source = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const [, expected = ""] = /```text\n(.*?)```/s.exec(readFileSync(source("../README.md"), "utf8")) ?? [];
const directory = mkdtempSync(join(tmpdir(), "octopii-example-"));
try {
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), source("./main.ts")], {
    cwd: directory,
    timeout: 60_000,
  });
  process.stdout.write(stdout);

  if (stdout !== expected) throw new Error(`The README says something else:\n${expected}`);
  const downloads = readdirSync(join(directory, "downloads"));
  if (downloads.join() !== "image.bin") throw new Error(`What came is ${downloads.join()}.`);
  console.log("everything arrived that should, and nothing else");
} finally {
  rmSync(directory, { recursive: true, force: true });
}
