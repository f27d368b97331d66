import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { join } from "node:path";
import { repositoryRoot } from "./root.js";

/** How a command ended. `code` is null when a signal ended it or it could not be started. */
export interface Finished {
  readonly code: number | null;
  readonly signal: string | null;
  /** What it printed on both streams, in order; empty when its output went to stderr. */
  readonly output: string;
  readonly elapsedMs: number;
  readonly timedOut: boolean;
}

/** How to run a command. */
export interface RunOptions {
  /** `capture` keeps what it prints; `stderr` lets both of its streams through to this process's stderr. */
  readonly output: "capture" | "stderr";
  /** After this the command and all that it started are told to end, and killed when they do not. */
  readonly timeLimitMs: number;
  readonly cwd?: string;
}

/** The environment for tools: no telemetry, no look for updates, no colours in text that is kept. */
function toolEnvironment(): NodeJS.ProcessEnv {
  const environment: NodeJS.ProcessEnv = {
    ...process.env,
    DO_NOT_TRACK: "1",
    TURBO_TELEMETRY_DISABLED: "1",
    TURBO_NO_UPDATE_NOTIFIER: "1",
    NO_UPDATE_NOTIFIER: "1",
    NO_COLOR: "1",
  };
  delete environment.FORCE_COLOR;
  return environment;
}

/** The path of a tool that the root's `devDependencies` brought. */
export function tool(name: string): string {
  return join(repositoryRoot, "node_modules", ".bin", name);
}

/** The command line that runs a TypeScript file of this repository. */
export function script(path: string, ...args: string[]): [command: string, args: string[]] {
  return [process.execPath, ["--import", "tsx", join(repositoryRoot, path), ...args]];
}

/** How long what was told to end may take before it is killed. */
const graceMs = 5_000;
const live = new Set<ChildProcess>();
let watching = false;
let stopping = false;

function signalTree(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    child.kill(signal);
  }
}

/** Commands run in process groups of their own, so a signal to this process has to be carried to them. */
function watchSignals(): void {
  if (watching) return;
  watching = true;
  const stop = (exitCode: number) => () => {
    stopping = true;
    for (const child of live) signalTree(child, "SIGTERM");
    const end = () => {
      for (const child of live) signalTree(child, "SIGKILL");
      process.exit(exitCode);
    };
    setTimeout(end, graceMs).unref();
    const wait = setInterval(() => {
      if (live.size > 0) return;
      clearInterval(wait);
      end();
    }, 20);
  };
  process.once("SIGINT", stop(130));
  process.once("SIGTERM", stop(143));
}

/** Runs a command to its end. It never rejects: a command that cannot be started has `code` null and says why in `output`. */
export function run(command: string, args: readonly string[], options: RunOptions): Promise<Finished> {
  watchSignals();
  // Told to end, this process starts nothing more and is gone in a moment.
  if (stopping) return new Promise(() => undefined);
  const started = performance.now();
  const stdio: StdioOptions = options.output === "capture" ? ["ignore", "pipe", "pipe"] : ["ignore", 2, 2];
  const child = spawn(command, args, { cwd: options.cwd ?? repositoryRoot, env: toolEnvironment(), stdio, detached: true });
  live.add(child);
  const chunks: Buffer[] = [];
  child.stdout?.on("data", (chunk: Buffer) => chunks.push(chunk));
  child.stderr?.on("data", (chunk: Buffer) => chunks.push(chunk));
  return new Promise((resolve) => {
    let timedOut = false;
    const finish = (code: number | null, signal: string | null, note: string) => {
      for (const timer of timers) clearTimeout(timer);
      live.delete(child);
      resolve({ code, signal, output: Buffer.concat(chunks).toString("utf8") + note, elapsedMs: performance.now() - started, timedOut });
    };
    const timers = [
      setTimeout(() => {
        timedOut = true;
        signalTree(child, "SIGTERM");
      }, options.timeLimitMs),
      setTimeout(() => signalTree(child, "SIGKILL"), options.timeLimitMs + graceMs),
      // A process that left the group may hold the pipes open for ever.
      setTimeout(() => finish(null, "SIGKILL", ""), options.timeLimitMs + 2 * graceMs),
    ];
    child.once("error", (error) => finish(null, null, `cannot run ${command}: ${error.message}\n`));
    child.once("close", (code, signal) => finish(code, signal, ""));
  });
}

/** Why a command did not succeed, in a few words, or null when it did. */
export function failure(finished: Finished): string | null {
  if (finished.timedOut) return "ran over its time limit and was killed";
  if (finished.signal !== null) return `was ended by ${finished.signal}`;
  if (finished.code === null) return "could not be started";
  return finished.code === 0 ? null : `exit code ${finished.code}`;
}
