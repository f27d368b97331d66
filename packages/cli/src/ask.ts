import { CoreError, isCoreError } from "@octopii/core";
import { CliError } from "./errors.js";
import { type RepeatOptions, repeatUntilDone } from "./repeat.js";

/** What a person at a terminal waits for an answer, an election included. */
const patienceMs = 10_000;
/** What one member gets of it at first, where another one may be asked instead. */
const memberMs = 1_000;

/** A change that a person asks for. */
export interface Change {
  /** What it does, to follow "It is unknown whether", such as `"colour" was stored`. */
  readonly what: string;
  /** The command that shows what came of it. */
  readonly check: string;
  /** As in {@link RepeatOptions}. */
  readonly effect: "idempotent" | "once";
  /** How long to wait. Default: what a person at a terminal waits. */
  readonly timeoutMs?: number | undefined;
  /** Ends it, with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** What came of a change. */
export interface Changed<Value> {
  readonly value: Value;
  /** It was sent again though it may have happened before, so `value` may speak of the repetition only. */
  readonly wasInDoubt: boolean;
}

/**
 * Asks the cluster something, with a person's patience.
 * @throws {CliError} `NO_QUORUM` when nobody answered in time.
 */
export async function read<Value>(call: (timeoutMs: number) => Promise<Value>, signal?: AbortSignal): Promise<Value> {
  try {
    return await repeatUntilDone(call, { timeoutMs: patienceMs, attemptTimeoutMs: memberMs, effect: "none", ...(signal && { signal }) });
  } catch (error) {
    throw isOutOfTime(error) ? noQuorum(error, "did not answer", "") : error;
  }
}

/**
 * Has the cluster change something, with a person's patience.
 * @throws {CliError} `NO_QUORUM` when it certainly did not happen in time.
 * @throws {CoreError} with `outcome` `unknown` and a sentence for that person, when nobody knows.
 */
export async function change<Value>(
  call: (timeoutMs: number) => Promise<Value>,
  { what, check, effect, timeoutMs = patienceMs, signal }: Change,
): Promise<Changed<Value>> {
  let wasInDoubt = false;
  const options: RepeatOptions = {
    timeoutMs,
    // The client turns to other members by itself for as long as nothing has happened; cutting it short would only sow doubt.
    attemptTimeoutMs: effect === "once" ? timeoutMs : memberMs,
    effect,
    ...(signal && { signal }),
    onUnknown: () => {
      wasInDoubt = true;
    },
  };
  try {
    return { value: await repeatUntilDone(call, options), wasInDoubt };
  } catch (error) {
    if (signal?.aborted) throw signal.reason;
    if (isCoreError(error) && error.outcome === "unknown") {
      const message = `It is unknown whether ${what}: no clear answer came, so it may have happened, or happen later; "${check}" shows what is there.`;
      throw new CoreError(error.code, message, { outcome: "unknown", cause: error });
    }
    throw isOutOfTime(error) ? noQuorum(error, "could not do it", ", and nothing was changed", timeoutMs) : error;
  }
}

function isOutOfTime(error: unknown): boolean {
  return isCoreError(error, "OCTOPII_CORE_TIMEOUT") || isCoreError(error, "OCTOPII_CORE_UNAVAILABLE");
}

function noQuorum(cause: unknown, complaint: string, consequence: string, timeoutMs = patienceMs): CliError {
  const message = `The cluster ${complaint} within ${timeoutMs / 1_000} s${consequence}; see that a majority of its nodes is up.`;
  return new CliError("OCTOPII_CLI_NO_QUORUM", message, { cause });
}
