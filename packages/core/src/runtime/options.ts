import { RuntimeError } from "./errors.js";
import type { ErrorPolicy } from "./task.js";

/** Options of `createRuntime`. Every limit is finite; `undefined` means the default. */
export interface RuntimeOptions {
  /** Threads for CPU work. None is started before the first `run`; 0 means that there are none. */
  readonly workers?: number;
  /** Calls of `run` that may wait for a worker. More are refused. */
  readonly maxQueuedRuns?: number;
  /** Tasks that may run at once, in all groups together. More are refused. */
  readonly maxTasks?: number;
  /** What happens when a task fails that does not say so itself. */
  readonly onError?: ErrorPolicy;
  /** How long `close` takes at most. */
  readonly closeDeadlineMs?: number;
}

/** {@link RuntimeOptions} with every default filled in and every value checked. */
export type RuntimeConfig = Readonly<Required<RuntimeOptions>>;

/** The defaults of {@link RuntimeOptions}. */
export const runtimeDefaults: RuntimeConfig = Object.freeze({
  /** As many as Node.js's own thread pool has, which serves the same machine; they end when they are idle. */
  workers: 4,
  /** Some hundred per worker: a burst fits, and what waits longer than its caller does not pile up. */
  maxQueuedRuns: 1_024,
  /** One for each connection of a busy server, and a runaway loop is noticed before memory is. */
  maxTasks: 65_536,
  /** A failure is told, and nobody else's work ends for it. */
  onError: "report",
  /** Half of the 10 s that most supervisors allow between SIGTERM and SIGKILL. */
  closeDeadlineMs: 5_000,
});

const limits: Readonly<Record<Exclude<keyof RuntimeConfig, "onError">, readonly [least: number, most: number]>> = {
  workers: [0, 1_024],
  maxQueuedRuns: [0, 1_048_576],
  maxTasks: [1, 16_777_216],
  closeDeadlineMs: [0, 2_147_483_647],
};

export const errorPolicies: readonly ErrorPolicy[] = ["report", "ignore", "close-runtime"];

/**
 * Fills in the defaults and checks everything.
 * @throws {RuntimeError} `OPTIONS_INVALID` once, naming all that is wrong.
 */
export function resolveRuntimeOptions(options: RuntimeOptions = {}): RuntimeConfig {
  const config: Record<string, unknown> = { ...runtimeDefaults };
  const problems: string[] = [];
  for (const [name, value] of Object.entries(options)) {
    if (!Object.hasOwn(runtimeDefaults, name)) problems.push(`${name} is not an option`);
    else if (value !== undefined) config[name] = value;
  }
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = config[name];
    if (!Number.isSafeInteger(value) || (value as number) < least || (value as number) > most) {
      problems.push(`${name} must be a whole number from ${least} to ${most}, not ${String(value)}`);
    }
  }
  if (!errorPolicies.includes(config.onError as ErrorPolicy)) problems.push(`onError must be one of ${errorPolicies.join(", ")}`);
  if (problems.length > 0) {
    throw new RuntimeError("OCTOPII_RUNTIME_OPTIONS_INVALID", `The options of createRuntime are wrong: ${problems.join("; ")}.`);
  }
  return Object.freeze(config) as RuntimeConfig;
}
