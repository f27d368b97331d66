/** Runs the example as its README says, in a temporary directory. Exit code 0 if the client got all its answers and the server its message. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const limitMs = 60_000;
const directory = mkdtempSync(join(tmpdir(), "octopii-example-"));
const port = 20_000 + (process.pid % 12_000);
/** The loader is named by its own place, for the working directory has none. */
const loader = import.meta.resolve("tsx");
const children: ChildProcess[] = [];

function run(name: string, ...args: string[]): ChildProcess {
  const child = spawn(process.execPath, ["--import", loader, fileURLToPath(new URL(name, import.meta.url)), ...args], {
    cwd: directory,
    env: { ...process.env, PORT: String(port) },
    stdio: ["ignore", "pipe", "inherit"],
  });
  child.stdout?.on("data", (chunk: Buffer) => process.stdout.write(chunk));
  children.push(child);
  return child;
}

/** Waits until a child has printed `text`. */
function says(child: ChildProcess, text: string): Promise<void> {
  let printed = "";
  return new Promise((resolve, reject) => {
    child.stdout?.on("data", (chunk: Buffer) => {
      printed += String(chunk);
      if (printed.includes(text)) resolve();
    });
    child.once("close", (code) => reject(new Error(`it ended with code ${String(code)} and did not say "${text}"`)));
  });
}

const limit = setTimeout(() => {
  console.error(`no success within ${limitMs / 1000} s`);
  process.exitCode = 1;
  for (const child of children) child.kill("SIGKILL");
}, limitMs);
try {
  await once(run("./certificates.ts"), "exit");
  const server = run("./server.ts");
  await says(server, "greeting on");
  const waved = says(server, "visitor waves: see you");
  const client = run("./client.ts", "Grace");
  const answered = Promise.all([
    says(client, "Hello, Grace! (said to visitor)"),
    says(client, "100 answers"),
    says(client, "DEADLINE_EXCEEDED, outcome unknown"),
    says(client, "A name is needed."),
  ]);
  await Promise.all([answered, waved]);
  const ended = once(server, "exit");
  server.kill("SIGINT");
  const [code] = await ended;
  if (code !== 0) throw new Error(`the server ended with code ${String(code)}`);
  console.log("the client has all its answers, and the server its message");
} finally {
  clearTimeout(limit);
  for (const child of children) child.kill("SIGKILL");
  rmSync(directory, { recursive: true, force: true });
}
