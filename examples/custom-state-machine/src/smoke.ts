/** Runs the example and compares what it says. Exit code 0 if it was right and the process ended by itself. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const main = fileURLToPath(new URL("./main.ts", import.meta.url));
// Below the range from which systems hand out ports by themselves.
const env = { ...process.env, BASE_PORT: String(14_000 + (process.pid % 2_000) * 3) };
const { stdout } = await promisify(execFile)(process.execPath, ["--import", import.meta.resolve("tsx"), main], { timeout: 60_000, env });
process.stdout.write(stdout);
const expected = [
  "node 1 sold seat 1 to Ada",
  "node 2 sold seat 2 to Grace",
  "node 3 refused: Ada has seat 1 already.",
  "node 1 sold seat 3 to Barbara",
  "node 2 refused: Sold out: Linus gets no seat.",
  ...[1, 2, 3].map((id) => `node ${id} holds ["Ada","Grace","Barbara"]`),
];
if (stdout.trim() !== expected.join("\n")) throw new Error(`it should have said:\n${expected.join("\n")}`);
console.log("three replicas sold the same seats to the same people");
