import type { CodedError, Outcome } from "@octopii/interfaces";

/**
 * - `SOURCE_MISSING`: there is no file at the path that was to be sent.
 * - `SOURCE_FAILED`: what was to be sent could not be read; the system's error is the `cause` on the sender's side.
 * - `SOURCE_CHANGED`: the file grew or shrank while it was sent. Nothing was published.
 * - `NAME_INVALID`: the name or the metadata cannot be sent, or could lead out of a directory.
 * - `REFUSED`: the receiver does not want it; the message is its own sentence.
 * - `TOO_LARGE`: it exceeds the receiver's limit. Nothing was allocated for it.
 * - `EXISTS`: a file of that name is there already, or is being received.
 * - `BUSY`: too many transfers at once, here or there.
 * - `CORRUPT`: what arrived is not what was sent. Nothing was published.
 * - `STORAGE_FAILED`: the receiver could not write, flush or publish; the system's error is the `cause` there.
 * - `TIMEOUT`: nothing moved for as long as the no-progress timeout allows.
 * - `CANCELLED`: the other side's program cancelled it. On the side that cancels, the signal's own reason is thrown.
 * - `DISCONNECTED`: the stream or its connection broke.
 * - `PROTOCOL`: the other side sent what makes no sense.
 * - `UNSUPPORTED`: the other side asks for a feature, or a hash, that this one does not have.
 * - `CLOSED`: the shipping lane was closed, here or there.
 */
export type LaneErrorCode =
  | "OCTOPII_LANE_SOURCE_MISSING"
  | "OCTOPII_LANE_SOURCE_FAILED"
  | "OCTOPII_LANE_SOURCE_CHANGED"
  | "OCTOPII_LANE_NAME_INVALID"
  | "OCTOPII_LANE_REFUSED"
  | "OCTOPII_LANE_TOO_LARGE"
  | "OCTOPII_LANE_EXISTS"
  | "OCTOPII_LANE_BUSY"
  | "OCTOPII_LANE_CORRUPT"
  | "OCTOPII_LANE_STORAGE_FAILED"
  | "OCTOPII_LANE_TIMEOUT"
  | "OCTOPII_LANE_CANCELLED"
  | "OCTOPII_LANE_DISCONNECTED"
  | "OCTOPII_LANE_PROTOCOL"
  | "OCTOPII_LANE_UNSUPPORTED"
  | "OCTOPII_LANE_CLOSED";

/** Options of {@link LaneError}. */
export interface LaneErrorOptions {
  /** Default `failed`. */
  readonly outcome?: Outcome;
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** Why a transfer failed. Test the `code`, best by {@link isLaneError}. */
export class LaneError extends Error implements CodedError {
  readonly code: LaneErrorCode;
  /** `failed`: nothing was published at the receiver. `unknown`: it may have been, whole and checked; never a part of it. */
  readonly outcome: Outcome;
  /** `peer`, `name`, `bytes` that had been transferred, and `durationMs`, as far as they are known. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: LaneErrorCode, message: string, options: LaneErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "LaneError";
    this.code = code;
    this.outcome = options.outcome ?? "failed";
    this.details = options.details ?? {};
  }
}

/** Whether `error` is a {@link LaneError}, by its shape, so that it holds across copies of this package. */
export function isLaneError(error: unknown, code?: LaneErrorCode): error is LaneError {
  if (!(error instanceof Error) || error.name !== "LaneError") return false;
  return code === undefined || (error as LaneError).code === code;
}
