import { readFileSync } from "node:fs";

/** The programs that stand between a person and a script: npx starts pnpm, pnpm a shell. */
const launcher = /(^|[\s/])(npm|npx|pnpm)(\s|$|[./])|^(\/bin\/)?sh -c /;
const shell = /^(\/bin\/)?sh -c /;
const depthMax = 12;
const intervalMs = 1_000;

/**
 * Calls `onLost` when one of the programs that launched this one is gone. They do not all pass signals on: whoever ends npx by its
 * process id would leave us running. Linux only; elsewhere nothing is watched.
 *
 * @returns a function that ends the watch.
 */
export function watchLaunchers(onLost: () => void): () => void {
  const chain = launchersOf(process.pid);
  const timer = setInterval(() => {
    if (chain.every(({ pid, parent }) => parentOf(pid) === parent)) return;
    clearInterval(timer);
    onLost();
  }, intervalMs);
  timer.unref();
  return () => clearInterval(timer);
}

interface Link {
  readonly pid: number;
  readonly parent: number;
}

/** The links from `pid` up to its topmost launcher. Above that comes a person's shell or a supervisor, which may leave us alone. */
function launchersOf(pid: number): Link[] {
  const links: Link[] = [];
  let watched = 0;
  for (let child = pid; links.length < depthMax; ) {
    const parent = parentOf(child);
    const command = parent === null ? "" : commandOf(parent);
    if (parent === null || !launcher.test(command)) break;
    links.push({ pid: child, parent });
    if (!shell.test(command)) watched = links.length;
    child = parent;
  }
  return links.slice(0, watched);
}

/** The parent of a process; null if there is no such process, or no way to know. */
function parentOf(pid: number): number | null {
  try {
    // The name, in parentheses, may hold anything; state and parent follow it.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\)\s*/s, "")
      .split(" ");
    return Number(parent);
  } catch {
    return null;
  }
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
