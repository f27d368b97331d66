import type { CodedError, Outcome } from "@octopii/interfaces";

/**
 * - `NOT_LEADER`: this node does not lead; `details.leaderId` names who does, 0 if unknown. Failed.
 * - `BUSY`: a queue is full or too much waits for its commit; try again later. Failed.
 * - `TRANSFERRING`: leadership is being handed over; try again. Failed.
 * - `ENTRY_TOO_LARGE`: the command exceeds `entryBytesMax`. Failed.
 * - `CHANGE_REFUSED`: the membership cannot change like that, or not now; `details.refusal` says which. Failed.
 * - `CATCH_UP_FAILED`: a learner did not come close enough to the leader to be given a vote; it stays a learner. Failed.
 * - `TRANSFER_FAILED`: the target did not become leader in time, or cannot. Failed.
 * - `SNAPSHOT_FAILED`: no snapshot could be taken, in `cause`; the log is as it was. Failed.
 * - `LEADERSHIP_LOST`: another leader's entry took the proposal's place. Failed if that entry is committed, otherwise unknown.
 * - `TIMEOUT`: the deadline passed first. Unknown for a proposal that was appended.
 * - `STORAGE_INCONSISTENT`: the log and the snapshots do not fit together; acknowledged entries are missing. The node must not start.
 * - `STOPPED`: the node was closed or has stopped on an error, in `cause`. Unknown for a proposal that was appended.
 */
export type RaftErrorCode =
  | "OCTOPII_RAFT_NOT_LEADER"
  | "OCTOPII_RAFT_BUSY"
  | "OCTOPII_RAFT_TRANSFERRING"
  | "OCTOPII_RAFT_ENTRY_TOO_LARGE"
  | "OCTOPII_RAFT_CHANGE_REFUSED"
  | "OCTOPII_RAFT_CATCH_UP_FAILED"
  | "OCTOPII_RAFT_TRANSFER_FAILED"
  | "OCTOPII_RAFT_SNAPSHOT_FAILED"
  | "OCTOPII_RAFT_LEADERSHIP_LOST"
  | "OCTOPII_RAFT_TIMEOUT"
  | "OCTOPII_RAFT_STORAGE_INCONSISTENT"
  | "OCTOPII_RAFT_STOPPED";

export interface RaftErrorOptions {
  readonly outcome: Outcome;
  readonly cause?: unknown;
  readonly details?: Readonly<Record<string, unknown>>;
}

/** An expected refusal. Test the `code`, best by {@link isRaftError}. */
export class RaftError extends Error implements CodedError {
  readonly code: RaftErrorCode;
  readonly outcome: Outcome;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: RaftErrorCode, message: string, options: RaftErrorOptions) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = "RaftError";
    this.code = code;
    this.outcome = options.outcome;
    this.details = options.details ?? {};
  }
}

/** Whether `error` is a {@link RaftError}, by shape, so that it works across copies of this package. */
export function isRaftError(error: unknown, code?: RaftErrorCode): error is RaftError {
  if (!(error instanceof Error) || error.name !== "RaftError") return false;
  return code === undefined || (error as RaftError).code === code;
}
