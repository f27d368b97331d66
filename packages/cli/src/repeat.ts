import { isCoreError } from "@octopii/core";
import { CliError } from "./errors.js";

/** How long to go on. */
export interface RepeatOptions {
  /** Give up after this. */
  readonly timeoutMs: number;
  /** How long one attempt may take. A member that died without a word costs this much, so it should be short. */
  readonly attemptTimeoutMs: number;
  readonly signal?: AbortSignal;
}

const repeatable = [
  "OCTOPII_CORE_UNAVAILABLE",
  "OCTOPII_CORE_TIMEOUT",
  "OCTOPII_CORE_BUSY",
  // A member that is just closing, or has stopped on an error: another one will do it.
  "OCTOPII_CORE_NOT_RUNNING",
] as const;

const pauseMs = 20;

/** What a person at a terminal waits for an answer, an election included, and what one member gets of it at first. */
const patience: RepeatOptions = { timeoutMs: 10_000, attemptTimeoutMs: 1_000 };

/**
 * {@link repeatUntilDone} for a person: with ten seconds of patience.
 * @throws {CliError} `NO_QUORUM` when nobody answered in time.
 */
export async function askCluster<Value>(call: (timeoutMs: number) => Promise<Value>): Promise<Value> {
  try {
    return await repeatUntilDone(call, patience);
  } catch (error) {
    if (!isCoreError(error, "OCTOPII_CORE_TIMEOUT") && !isCoreError(error, "OCTOPII_CORE_UNAVAILABLE")) throw error;
    const message = `The cluster did not answer within ${patience.timeoutMs / 1_000} s; see that a majority of its nodes is up.`;
    throw new CliError("OCTOPII_CLI_NO_QUORUM", message, { cause: error });
  }
}

/**
 * Repeats an idempotent call, such as a put, through failures whose outcome may be unknown, until it succeeds or time is up; then the last
 * error is thrown. Each attempt may take twice as long as the one before, so that a slow cluster gets its time too.
 */
export async function repeatUntilDone<Value>(call: (timeoutMs: number) => Promise<Value>, options: RepeatOptions): Promise<Value> {
  const { signal } = options;
  const deadline = performance.now() + options.timeoutMs;
  let attemptTimeoutMs = options.attemptTimeoutMs;
  for (;;) {
    signal?.throwIfAborted();
    const remainingMs = deadline - performance.now();
    try {
      return await call(Math.max(1, Math.min(Math.ceil(attemptTimeoutMs), remainingMs)));
    } catch (error) {
      if (!repeatable.some((code) => isCoreError(error, code)) || performance.now() + pauseMs >= deadline) throw error;
    }
    attemptTimeoutMs *= 2;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}
