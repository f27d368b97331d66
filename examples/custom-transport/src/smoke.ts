/** Holds the transport to the contract, and runs the cluster on it. Exit code 0 if both went well. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const loader = import.meta.resolve("tsx");
const run = async (name: string, ...flags: string[]): Promise<string> => {
  const env = { ...process.env, BASE_PORT: String(20_000 + (process.pid % 4_000) * 3) };
  // Where this itself runs within Node's test runner, the child is to report like any other.
  delete (env as NodeJS.ProcessEnv).NODE_TEST_CONTEXT;
  const path = fileURLToPath(new URL(name, import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", loader, ...flags, path], { env, timeout: 120_000 });
  process.stdout.write(stdout);
  return stdout;
};

const conformance = await run("./conformance.ts", "--test", "--test-reporter=tap");
if (!/^# pass [1-9]\d*$/m.test(conformance) || !/^# fail 0$/m.test(conformance))
  throw new Error("the transport does not keep the contract");
const cluster = await run("./main.ts");
for (const line of ["node 1 reads: green", "node 2 reads: green", "node 3 reads: green"]) {
  if (!cluster.split("\n").includes(line)) throw new Error(`it should have said "${line}"`);
}
if (!/^without node \d, node \d reads: blue$/m.test(cluster)) throw new Error("the cluster did not go on without its leader");
console.log("the transport keeps the contract, and carries a cluster");
