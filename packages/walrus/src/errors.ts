import type { CodedError, Outcome } from "@octopii/interfaces";

/** Every condition that this package reports by a code. */
export type WalrusErrorCode =
  /** Bytes that were once durable are damaged or missing. Nothing was changed. `details`: `file`, `offset`, `problem`. */
  | "OCTOPII_WALRUS_CORRUPT"
  /** The files were written by a release that this one does not know. Nothing was changed. */
  | "OCTOPII_WALRUS_UNSUPPORTED_VERSION"
  /** `expectedLogId` was given, and the directory holds no log or another one. Nothing was changed. `details`: `directory`, `expected`, `found`. */
  | "OCTOPII_WALRUS_WRONG_LOG"
  /** Another process, or another log in this one, has the directory. */
  | "OCTOPII_WALRUS_LOCKED"
  /** A file operation failed; `cause` is the system's error. `outcome` says whether the records may be on disk all the same. */
  | "OCTOPII_WALRUS_IO_FAILED"
  /** An earlier write or flush failed, so the log takes nothing until it is opened anew. */
  | "OCTOPII_WALRUS_POISONED"
  /** The log is closed or closing. */
  | "OCTOPII_WALRUS_CLOSED"
  /** More bytes wait for the disk than `maxQueuedBytes` allows. Try again when some appends have resolved. */
  | "OCTOPII_WALRUS_BUSY"
  /** The log is at `maxDiskBytes` and may not drop entries. Truncate topics at their front. `details.usedBytes`. */
  | "OCTOPII_WALRUS_FULL"
  /** A record, a batch or a topic's name is over its limit. */
  | "OCTOPII_WALRUS_TOO_LARGE"
  /** The log already has `maxTopics` topics. */
  | "OCTOPII_WALRUS_TOO_MANY_TOPICS"
  /** The log already has `maxCursors` cursors. */
  | "OCTOPII_WALRUS_TOO_MANY_CURSORS"
  /** An index that the topic can never have: below what front truncation removed, or beyond the safe integers. */
  | "OCTOPII_WALRUS_OUT_OF_RANGE"
  /** The entry was removed by front truncation. `details.first` is the lowest index that is left. */
  | "OCTOPII_WALRUS_TRUNCATED"
  /** Options that cannot work; the message lists all problems. */
  | "OCTOPII_WALRUS_INVALID_OPTIONS";

/** What an error carries besides its code and sentence. */
export interface WalrusErrorExtras {
  readonly outcome?: Outcome;
  readonly details?: Readonly<Record<string, unknown>>;
  readonly cause?: unknown;
}

/** The error of this package. Test it with {@link isWalrusError}, not with `instanceof`. */
export class WalrusError extends Error implements CodedError {
  readonly code: WalrusErrorCode;
  declare readonly outcome?: Outcome;
  declare readonly details?: Readonly<Record<string, unknown>>;

  constructor(code: WalrusErrorCode, message: string, extras: WalrusErrorExtras = {}) {
    super(message, extras.cause === undefined ? undefined : { cause: extras.cause });
    this.name = "WalrusError";
    this.code = code;
    if (extras.outcome !== undefined) this.outcome = extras.outcome;
    if (extras.details !== undefined) this.details = extras.details;
  }
}

/** Whether `error` is a {@link WalrusError}, and with `code` if one is given. Works across copies of this package. */
export function isWalrusError(error: unknown, code?: WalrusErrorCode): error is WalrusError {
  if (!(error instanceof Error) || !("code" in error) || typeof error.code !== "string") return false;
  return code === undefined ? error.code.startsWith("OCTOPII_WALRUS_") : error.code === code;
}

const RESTORE = "Nothing was changed; restore the directory from a backup, or rebuild the log from another copy of its data.";

/** Damage to what was once durable. */
export function corrupt(file: string, offset: number, problem: string, remedy: string = RESTORE): WalrusError {
  return new WalrusError("OCTOPII_WALRUS_CORRUPT", `${file} is corrupt at offset ${offset}: ${problem}. ${remedy}`, {
    details: { file, offset, problem },
  });
}

/** A segment that should be there and is not. @param why - how that is known; a clause without a full stop. */
export function missing(file: string, why: string): WalrusError {
  const problem = `the file is missing: ${why}`;
  return new WalrusError("OCTOPII_WALRUS_CORRUPT", `${file} is missing: ${why}. ${RESTORE}`, { details: { file, offset: 0, problem } });
}

/** A file of a format that this release does not read. */
export function unsupported(file: string, what: string): WalrusError {
  const message = `${file} has ${what}, which this release does not read; open it with the release that wrote it, or a newer one.`;
  return new WalrusError("OCTOPII_WALRUS_UNSUPPORTED_VERSION", message, { details: { file } });
}

/** The log that was expected is not there. @param found - the id of the one that is; null if there is none. */
export function wrongLog(directory: string, expected: string, found: string | null): WalrusError {
  const fact = found === null ? `There is no log in ${directory}` : `The log in ${directory} is ${found}`;
  const message = `${fact}, but log ${expected} was expected. Nothing was changed; check the path and that its disk is mounted, or restore that log.`;
  return new WalrusError("OCTOPII_WALRUS_WRONG_LOG", message, { outcome: "failed", details: { directory, expected, found } });
}

/** A file operation that failed. @param doing - what was tried, such as `write to`. */
export function ioFailed(doing: string, path: string, cause: unknown, outcome?: Outcome): WalrusError {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `Could not ${doing} ${path}: ${why}. Check the disk and its free space, then open the log again.`;
  const extras = { cause, details: { path } };
  return new WalrusError("OCTOPII_WALRUS_IO_FAILED", message, outcome === undefined ? extras : { ...extras, outcome });
}

/** Gives `error` on if it is ours, and otherwise says what failed. */
export function asWalrusError(error: unknown, doing: string, path: string): WalrusError {
  return isWalrusError(error) ? error : ioFailed(doing, path, error);
}
