import type { CodedError, Outcome } from "@octopii/interfaces";

/**
 * - `CONFIGURATION_INVALID`: the options contradict each other or the credentials; `details.problems` lists every problem.
 * - `DIRECTORY_FOREIGN`: the data directory belongs to another node or cluster. Nothing in it was changed.
 * - `DIRECTORY_UNUSABLE`: the data directory cannot be made, read or written; the system's own error is the `cause`.
 * - `LOG_MISSING`: the data directory is this node's, and its log is missing or another one. Nothing in it was changed.
 * - `IDENTITY_REFUSED`: the members that a client reached do not accept its identity, or it does not accept theirs; `details.refusals`
 *   lists them. Waiting does not help.
 * - `ADDRESS_IN_USE`: another program listens there.
 * - `NOT_RUNNING`: the node is not started yet, closed, or has stopped on an error, in `cause`.
 * - `UNAVAILABLE`: no leader, or no quorum, could be reached in time.
 * - `BUSY`: queues are full; try again later.
 * - `TIMEOUT`: the deadline passed while the outcome was open.
 * - `TOO_LARGE`: the command exceeds the limit of the cluster.
 * - `CHANGE_REFUSED`: the membership cannot change like that, or not now; nothing was changed.
 * - `TRANSFER_FAILED`: leadership stayed, or went to another.
 * - `SESSION_EXPIRED`: the cluster has forgotten the session, for others were used since; open another. With an `outcome` of `unknown`, the
 *   command may have been applied before that.
 * - `SNAPSHOT_FAILED`: no snapshot could be taken; nothing is lost.
 */
export type CoreErrorCode =
  | "OCTOPII_CORE_CONFIGURATION_INVALID"
  | "OCTOPII_CORE_DIRECTORY_FOREIGN"
  | "OCTOPII_CORE_DIRECTORY_UNUSABLE"
  | "OCTOPII_CORE_LOG_MISSING"
  | "OCTOPII_CORE_IDENTITY_REFUSED"
  | "OCTOPII_CORE_ADDRESS_IN_USE"
  | "OCTOPII_CORE_NOT_RUNNING"
  | "OCTOPII_CORE_UNAVAILABLE"
  | "OCTOPII_CORE_BUSY"
  | "OCTOPII_CORE_TIMEOUT"
  | "OCTOPII_CORE_TOO_LARGE"
  | "OCTOPII_CORE_CHANGE_REFUSED"
  | "OCTOPII_CORE_TRANSFER_FAILED"
  | "OCTOPII_CORE_SESSION_EXPIRED"
  | "OCTOPII_CORE_SNAPSHOT_FAILED";

export interface CoreErrorOptions {
  /** Default `failed`. */
  readonly outcome?: Outcome;
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An expected refusal by a node or a client. Test the `code`, best by {@link isCoreError}. */
export class CoreError extends Error implements CodedError {
  readonly code: CoreErrorCode;
  readonly outcome: Outcome;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: CoreErrorCode, message: string, options: CoreErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CoreError";
    this.code = code;
    this.outcome = options.outcome ?? "failed";
    this.details = options.details ?? {};
  }
}

/** Whether `error` is a {@link CoreError}, by shape, so that it works across copies of this package. */
export function isCoreError(error: unknown, code?: CoreErrorCode): error is CoreError {
  if (!(error instanceof Error) || error.name !== "CoreError") return false;
  return code === undefined || (error as CoreError).code === code;
}

/** What is wrong with bytes that a caller gives, for those whom no type checker helps; null if nothing is. */
export function notBytes(what: string, value: unknown): TypeError | null {
  if (value instanceof Uint8Array) return null;
  return new TypeError(`${what} is a Uint8Array, not ${Array.isArray(value) ? "an array" : typeof value}; encode it first.`);
}

/** The refusal of a command, or null: said before it is sent anywhere, so that every node says the same. */
export function refusalOf(command: Uint8Array, entryBytesMax: number): Error | null {
  const misuse = notBytes("A command", command);
  if (misuse !== null || command.length <= entryBytesMax) return misuse;
  const message = `The command has ${command.length} bytes, more than the ${entryBytesMax} of entryBytesMax; split it, or raise the limit on every node.`;
  return new CoreError("OCTOPII_CORE_TOO_LARGE", message);
}
