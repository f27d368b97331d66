import { setFlagsFromString } from "node:v8";
import { runInThisContext } from "node:vm";

let drain: (() => void) | null | undefined;

function compile(): (() => void) | null {
  try {
    // The flag stays on: V8 may drop the compiled form of an idle function and parse it again later.
    setFlagsFromString("--allow-natives-syntax");
    const candidate: unknown = runInThisContext("(function drainMicrotasks() { %PerformMicrotaskCheckpoint(); })");
    return typeof candidate === "function" ? (candidate as () => void) : null;
  } catch {
    return null;
  }
}

function works(candidate: () => void): boolean {
  let steps = 0;
  const chain = async () => {
    for (let step = 0; step < 8; step += 1) {
      await Promise.resolve();
      steps += 1;
    }
  };
  void chain();
  candidate();
  return steps === 8;
}

/**
 * A function that runs all promise jobs at once and returns when none is left, or null where V8 does not offer it. It does nothing
 * when it is called from inside a promise job, so ask and call from a macrotask only.
 */
export function microtaskDrain(): (() => void) | null {
  if (drain === undefined) {
    const candidate = compile();
    drain = candidate !== null && works(candidate) ? candidate : null;
  }
  return drain;
}
