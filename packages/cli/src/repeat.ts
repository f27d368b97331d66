import { CoreError, isCoreError } from "@octopii/core";

/** How long to go on, and through what. */
export interface RepeatOptions {
  /** Give up after this. */
  readonly timeoutMs: number;
  /**
   * How long the first attempt may take; each later one may take twice as long. A member that died without a word costs this much, so it
   * should be short, except for a call with the effect `once`: an attempt that is cut short has an unknown outcome, which ends it.
   */
  readonly attemptTimeoutMs: number;
  /**
   * What the call does, and so when it may be repeated. `none`: it only reads, so always. `idempotent`: twice leaves what once does, so
   * after an unknown outcome too; mind that it then undoes what somebody else did in between. `once`: only while it certainly has not
   * happened. Default `once`, the one that can do no harm.
   */
  readonly effect?: "none" | "idempotent" | "once";
  readonly signal?: AbortSignal;
  /** Told of each attempt, of a call that has an effect, after which nobody knows whether it happened. */
  readonly onUnknown?: (error: CoreError) => void;
}

const repeatable = [
  "OCTOPII_CORE_UNAVAILABLE",
  "OCTOPII_CORE_TIMEOUT",
  "OCTOPII_CORE_BUSY",
  // A member that is just closing, or has stopped on an error: another one will do it.
  "OCTOPII_CORE_NOT_RUNNING",
] as const;

const pauseMs = 20;
/** What an attempt needs to be worth it. One that is cut short would only turn a plain failure into an unknown outcome. */
const leastAttemptMs = 50;

/**
 * Repeats a call through failures that may pass, until it succeeds or time is up.
 * @throws the last error. If any attempt's outcome was unknown, and the call has an effect, the `outcome` of a {@link CoreError} is
 * `unknown` too, whatever became of the later attempts. The signal's reason, when it is aborted.
 */
export async function repeatUntilDone<Value>(call: (timeoutMs: number) => Promise<Value>, options: RepeatOptions): Promise<Value> {
  const { effect = "once", signal, onUnknown } = options;
  const deadline = performance.now() + options.timeoutMs;
  let attemptTimeoutMs = options.attemptTimeoutMs;
  let doubt: CoreError | null = null;
  for (;;) {
    signal?.throwIfAborted();
    const remainingMs = deadline - performance.now();
    try {
      return await call(Math.max(1, Math.min(Math.ceil(attemptTimeoutMs), remainingMs)));
    } catch (error) {
      if (effect !== "none" && isCoreError(error) && error.outcome === "unknown") {
        doubt ??= error;
        onUnknown?.(error);
      }
      const mayPass = repeatable.some((code) => isCoreError(error, code)) && performance.now() + pauseMs + leastAttemptMs < deadline;
      if (!mayPass || (doubt !== null && effect === "once")) throw withDoubt(error, doubt);
    }
    attemptTimeoutMs *= 2;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** That the last attempt certainly failed says nothing of the ones before it. */
function withDoubt(last: unknown, doubt: CoreError | null): unknown {
  if (doubt === null || !isCoreError(last) || last.outcome === "unknown") return last;
  const message = `An attempt had an unknown outcome: ${doubt.message} The last one failed: ${last.message}`;
  return new CoreError(doubt.code, message, { outcome: "unknown", cause: last, details: doubt.details });
}
