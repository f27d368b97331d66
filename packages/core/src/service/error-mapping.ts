import { isRaftError, type RaftErrorCode } from "@octopii/raft";
import { isRpcError, RpcError, type RpcStatus } from "@octopii/rpc";
import { CoreError, type CoreErrorCode, isCoreError } from "../errors.js";
import { isRejection, Rejection } from "../state-machine/state-machine.js";

/** How each of our codes is told in gRPC's terms. */
const statuses: Record<CoreErrorCode, RpcStatus> = {
  OCTOPII_CORE_CONFIGURATION_INVALID: "INVALID_ARGUMENT",
  OCTOPII_CORE_DIRECTORY_FOREIGN: "FAILED_PRECONDITION",
  OCTOPII_CORE_DIRECTORY_UNUSABLE: "FAILED_PRECONDITION",
  OCTOPII_CORE_LOG_MISSING: "FAILED_PRECONDITION",
  OCTOPII_CORE_IDENTITY_REFUSED: "UNAUTHENTICATED",
  OCTOPII_CORE_ADDRESS_IN_USE: "FAILED_PRECONDITION",
  OCTOPII_CORE_NOT_RUNNING: "UNAVAILABLE",
  OCTOPII_CORE_UNAVAILABLE: "UNAVAILABLE",
  OCTOPII_CORE_BUSY: "RESOURCE_EXHAUSTED",
  OCTOPII_CORE_TIMEOUT: "DEADLINE_EXCEEDED",
  OCTOPII_CORE_TOO_LARGE: "INVALID_ARGUMENT",
  OCTOPII_CORE_CHANGE_REFUSED: "FAILED_PRECONDITION",
  OCTOPII_CORE_TRANSFER_FAILED: "ABORTED",
  OCTOPII_CORE_SESSION_EXPIRED: "FAILED_PRECONDITION",
  OCTOPII_CORE_SNAPSHOT_FAILED: "ABORTED",
};

const rejectionCode = "OCTOPII_CORE_REJECTED";

const ofRaft: Record<RaftErrorCode, CoreErrorCode> = {
  OCTOPII_RAFT_NOT_LEADER: "OCTOPII_CORE_UNAVAILABLE",
  OCTOPII_RAFT_BUSY: "OCTOPII_CORE_BUSY",
  OCTOPII_RAFT_TRANSFERRING: "OCTOPII_CORE_UNAVAILABLE",
  OCTOPII_RAFT_ENTRY_TOO_LARGE: "OCTOPII_CORE_TOO_LARGE",
  OCTOPII_RAFT_CHANGE_REFUSED: "OCTOPII_CORE_CHANGE_REFUSED",
  OCTOPII_RAFT_CATCH_UP_FAILED: "OCTOPII_CORE_CHANGE_REFUSED",
  OCTOPII_RAFT_TRANSFER_FAILED: "OCTOPII_CORE_TRANSFER_FAILED",
  OCTOPII_RAFT_SNAPSHOT_FAILED: "OCTOPII_CORE_SNAPSHOT_FAILED",
  OCTOPII_RAFT_STORAGE_INCONSISTENT: "OCTOPII_CORE_LOG_MISSING",
  OCTOPII_RAFT_LEADERSHIP_LOST: "OCTOPII_CORE_UNAVAILABLE",
  OCTOPII_RAFT_TIMEOUT: "OCTOPII_CORE_TIMEOUT",
  OCTOPII_RAFT_STOPPED: "OCTOPII_CORE_NOT_RUNNING",
};

const ofRpc: Partial<Record<RpcStatus, CoreErrorCode>> = {
  DEADLINE_EXCEEDED: "OCTOPII_CORE_TIMEOUT",
  RESOURCE_EXHAUSTED: "OCTOPII_CORE_BUSY",
};

/** What a caller of a node or client gets for an error from below. Errors that are none of ours pass through. */
export function toCallerError(error: unknown): unknown {
  if (isRaftError(error)) {
    return new CoreError(ofRaft[error.code], error.message, { outcome: error.outcome, cause: error, details: error.details });
  }
  if (isRpcError(error)) return fromRpcError(error);
  return error;
}

/** The error as it travels to another process. */
export function toRpcError(error: unknown): unknown {
  const own = toCallerError(error);
  if (isRejection(own)) return new RpcError("FAILED_PRECONDITION", own.message, { outcome: "failed", details: { code: rejectionCode } });
  if (isCoreError(own))
    return new RpcError(statuses[own.code], own.message, { outcome: own.outcome, cause: own, details: { code: own.code } });
  return own;
}

function fromRpcError(error: RpcError): Error {
  const code = error.details?.code;
  if (code === rejectionCode) return new Rejection(error.message);
  const known = typeof code === "string" && code in statuses ? (code as CoreErrorCode) : undefined;
  const fallback = ofRpc[error.status] ?? "OCTOPII_CORE_UNAVAILABLE";
  // That another node has stopped is no reason for the caller's own to be called stopped: there may be a better one to ask.
  const told = known === "OCTOPII_CORE_NOT_RUNNING" ? "OCTOPII_CORE_UNAVAILABLE" : known;
  return new CoreError(told ?? fallback, error.message, { outcome: error.outcome, cause: error });
}

/** It may go better with another leader or in a moment, and a repetition does no harm: nothing happened, or nothing can. */
export function isWorthRetrying(error: unknown, harmless: boolean): boolean {
  return isCoreError(error, "OCTOPII_CORE_UNAVAILABLE") && (harmless || error.outcome === "failed");
}
