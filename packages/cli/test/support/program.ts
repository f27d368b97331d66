import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const packages = fileURLToPath(new URL("../../../", import.meta.url));

/** What the program is built from. The code of `system` is inside the others. */
const parts = ["cli", "core", "raft", "walrus", "rpc", "shipping-lane", "certificates", "transport-quic", "transport-tcp"];

/** The built program. Processes run JavaScript, so these tests need a build of today's sources. */
export const program: string = join(packages, "cli/dist/main.js");

/** @throws if the program was not built, or from other sources than these. */
export function checkBuild(): void {
  const stale = parts.filter((part) => !isBuilt(join(packages, part, "dist")));
  if (stale.length === 0) return;
  throw new Error(
    `These tests start ${program}, and what was built of ${stale.join(", ")} is missing or old: run "pnpm build --js" first.`,
  );
}

interface SourceMap {
  readonly sources: readonly string[];
  readonly sourcesContent: readonly string[];
}

/** A build carries its sources in its source maps. What no entry reaches any more is left over from earlier ones. */
function isBuilt(dist: string): boolean {
  const entries = ["index.js", "main.js"].filter((name) => existsSync(join(dist, name)));
  const reached = new Set(entries);
  for (const name of reached) {
    if (!existsSync(join(dist, name)) || !existsSync(join(dist, `${name}.map`))) return false;
    for (const [, chunk = ""] of readFileSync(join(dist, name), "utf8").matchAll(/(?:from |import\(?)"\.\/([^"]+)"/g)) reached.add(chunk);
  }
  const maps = [...reached].map((name) => JSON.parse(readFileSync(join(dist, `${name}.map`), "utf8")) as SourceMap);
  return maps.length > 0 && maps.every((map) => isCurrent(dist, map));
}

function isCurrent(dist: string, { sources, sourcesContent }: SourceMap): boolean {
  return sources.every((source, i) => {
    const path = resolve(dist, source);
    if (!path.includes("/packages/") || path.includes("/node_modules/")) return true;
    return existsSync(path) && readFileSync(path, "utf8") === sourcesContent[i];
  });
}

/** How a run of the program ended. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the program. */
export interface Run {
  readonly child: ChildProcess;
  /** What it has printed so far. */
  readonly output: { stdout: string; stderr: string };
  readonly ended: Promise<Ended>;
  /** Waits until stdout or stderr matches. */
  seen(pattern: RegExp): Promise<void>;
}

/** Starts `octopii` with `args`. @param input - its standard input, which then ends; null for none at all. */
export function start(args: readonly string[], input: string | null = null, command: readonly string[] = [process.execPath, program]): Run {
  const [file = "", ...rest] = [...command, ...args];
  const child = spawn(file, rest, { stdio: [input === null ? "ignore" : "pipe", "pipe", "pipe"], cwd: dirname(program) });
  const output = { stdout: "", stderr: "" };
  let look: () => void = () => undefined;
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output.stdout += text;
    look();
  });
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    output.stderr += text;
    look();
  });
  child.stdin?.end(input ?? "");
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, ...output }));
  });
  const seen = (pattern: RegExp): Promise<void> =>
    new Promise((resolve, reject) => {
      look = () => {
        if (pattern.test(output.stdout) || pattern.test(output.stderr)) resolve();
      };
      look();
      ended.then(() => reject(new Error(`It ended without ${String(pattern)}:\n${output.stdout}${output.stderr}`)), reject);
    });
  return { child, output, ended, seen };
}

/** Runs `octopii` to its end. */
export function octopii(...args: string[]): Promise<Ended> {
  return start(args).ended;
}

/** Whether a process exists. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Waits until something holds. */
export async function eventually(holds: () => boolean | Promise<boolean>, what: string, timeoutMs = 15_000): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`It did not happen within ${timeoutMs} ms: ${what}`);
    await new Promise((next) => setTimeout(next, 20));
  }
}
