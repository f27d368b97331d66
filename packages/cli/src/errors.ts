import type { CodedError } from "@octopii/interfaces";

/**
 * - `USAGE`: the command line makes no sense.
 * - `CONFIGURATION_INVALID`: a configuration file cannot be used; `details.problems` lists every problem.
 * - `DIRECTORY_UNUSABLE`: a development cluster's directory is damaged, in use, or holds another cluster than was asked for.
 * - `ADDRESS_IN_USE`: another program has a port that a node needs.
 * - `NODE_REFUSED`: a node's process did not start because of something that an operator has to mend.
 * - `NODE_FAILED`: a node's process ended by itself.
 * - `NO_LEADER`: the cluster elected no leader in time.
 * - `NO_QUORUM`: the cluster did not answer in time.
 * - `NO_SUCH_KEY`: the store has no value under a key.
 * - `UNREACHABLE`: nobody answered where something was to be sent.
 * - `INTERRUPTED`: a signal ended what was under way.
 */
export type CliErrorCode =
  | "OCTOPII_CLI_USAGE"
  | "OCTOPII_CLI_CONFIGURATION_INVALID"
  | "OCTOPII_CLI_DIRECTORY_UNUSABLE"
  | "OCTOPII_CLI_ADDRESS_IN_USE"
  | "OCTOPII_CLI_NODE_REFUSED"
  | "OCTOPII_CLI_NODE_FAILED"
  | "OCTOPII_CLI_NO_LEADER"
  | "OCTOPII_CLI_NO_QUORUM"
  | "OCTOPII_CLI_NO_SUCH_KEY"
  | "OCTOPII_CLI_UNREACHABLE"
  | "OCTOPII_CLI_INTERRUPTED";

/** A refusal by this program. Test it with {@link isCliError}. */
export class CliError extends Error implements CodedError {
  readonly code: CliErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: CliErrorCode, message: string, options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "CliError";
    this.code = code;
    this.details = options.details ?? {};
  }
}

/** Whether `error` is a {@link CliError}, by its shape, so that it holds across copies of this package. */
export function isCliError(error: unknown, code?: CliErrorCode): error is CliError {
  const actual = codeOf(error) ?? "";
  return actual.startsWith("OCTOPII_CLI_") && (code === undefined || actual === code);
}

/** The stable code of an error of any Octopii package; null for all others. */
function codeOf(error: unknown): string | null {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return null;
  return error.code.startsWith("OCTOPII_") ? error.code : null;
}

/** Expected failures of a run that was well asked for: what to do is to look at the cluster or the machine, then try again. */
const runtimeCodes: ReadonlySet<string> = new Set([
  "OCTOPII_CLI_NODE_FAILED",
  "OCTOPII_CLI_NO_LEADER",
  "OCTOPII_CLI_NO_QUORUM",
  "OCTOPII_CLI_NO_SUCH_KEY",
  "OCTOPII_CLI_UNREACHABLE",
  "OCTOPII_CLI_INTERRUPTED",
  "OCTOPII_CORE_BUSY",
  "OCTOPII_CORE_CHANGE_REFUSED",
  "OCTOPII_CORE_NOT_RUNNING",
  "OCTOPII_CORE_REJECTED",
  "OCTOPII_CORE_SNAPSHOT_FAILED",
  "OCTOPII_CORE_TIMEOUT",
  "OCTOPII_CORE_TRANSFER_FAILED",
  "OCTOPII_CORE_UNAVAILABLE",
  "OCTOPII_LANE_BUSY",
  "OCTOPII_LANE_CANCELLED",
  "OCTOPII_LANE_CLOSED",
  "OCTOPII_LANE_CORRUPT",
  "OCTOPII_LANE_DISCONNECTED",
  "OCTOPII_LANE_EXISTS",
  "OCTOPII_LANE_PROTOCOL",
  "OCTOPII_LANE_REFUSED",
  "OCTOPII_LANE_SOURCE_CHANGED",
  "OCTOPII_LANE_STORAGE_FAILED",
  "OCTOPII_LANE_TIMEOUT",
  "OCTOPII_LANE_TOO_LARGE",
  "OCTOPII_LANE_UNSUPPORTED",
  "OCTOPII_WALRUS_IO_FAILED",
  "OCTOPII_WALRUS_POISONED",
]);

/**
 * 2 for bad input, which includes files and directories that a node refuses and certificates that a cluster refuses; 1 for everything
 * else.
 */
export function exitCodeOf(error: unknown): 1 | 2 {
  const code = codeOf(error);
  return code !== null && !runtimeCodes.has(code) ? 2 : 1;
}

/** What stderr says of an error: its sentence if it is an expected one, and all there is to know if it is a bug. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (codeOf(error) !== null || isSystemError(error)) return oneLine(error.message);
  return error.stack ?? error.message;
}

/** An error of the operating system, such as a file that may not be read. Its message names the path. */
function isSystemError(error: Error): boolean {
  return "syscall" in error && "errno" in error;
}

/** `text` without line breaks, for where one line is promised. */
export function oneLine(text: string): string {
  return text.replace(/\s*[\r\n]+\s*/g, " ").trim();
}
