/** Runs the example and compares what it says. Exit code 0 if it was right and the process ended by itself. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), main], { timeout: 60_000 });
process.stdout.write(stdout);
const expected = [
  "63951 primes below 800000; the heart went on: true",
  "the endless call ended: Error: too long",
  "10 of 11 calls taken",
  "printer failed: Error: out of ink",
  "joined: Error: out of ink",
  "last work: saved, heart: cancelled, abandoned: 0",
];
for (const line of expected) if (!stdout.split("\n").includes(line)) throw new Error(`it should have said "${line}"`);
console.log("tasks, threads and the end were in order");
