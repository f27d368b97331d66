import type { CodedError } from "@octopii/interfaces";

/**
 * - `SNAPSHOT_DAMAGED`: a snapshot's file is not what was written; `details` has its `path`, and the `offset` where that shows. Nothing in
 *   it was changed.
 * - `SNAPSHOT_VERSION_UNKNOWN`: another release wrote the file, in `details.path`.
 * - `SNAPSHOT_MISSING`: there is no such snapshot.
 * - `SNAPSHOT_REFUSED`: the peer did not take the snapshot; its reason is in the message.
 * - `SNAPSHOT_INTERRUPTED`: a snapshot did not come through: the stream broke, or the peer sent what makes no sense.
 */
export type SnapshotErrorCode =
  | "OCTOPII_CORE_SNAPSHOT_DAMAGED"
  | "OCTOPII_CORE_SNAPSHOT_VERSION_UNKNOWN"
  | "OCTOPII_CORE_SNAPSHOT_MISSING"
  | "OCTOPII_CORE_SNAPSHOT_REFUSED"
  | "OCTOPII_CORE_SNAPSHOT_INTERRUPTED";

/** Why a snapshot could not be read, or did not reach a peer. Test the `code`. */
export class SnapshotError extends Error implements CodedError {
  readonly code: SnapshotErrorCode;
  readonly details: Readonly<Record<string, unknown>>;

  constructor(code: SnapshotErrorCode, message: string, details: Readonly<Record<string, unknown>> = {}) {
    super(message);
    this.name = "SnapshotError";
    this.code = code;
    this.details = details;
  }
}

export function damaged(path: string, offset: number, problem: string): SnapshotError {
  const message = `The snapshot ${path} is damaged at offset ${offset}: ${problem}; restore the file from a backup, or replace this node by a new one.`;
  return new SnapshotError("OCTOPII_CORE_SNAPSHOT_DAMAGED", message, { path, offset });
}

export function unknownVersion(path: string, found: number, known: number): SnapshotError {
  const message = `The snapshot ${path} has format ${found}; this release reads format ${known}: run the release that wrote it, or a newer one.`;
  return new SnapshotError("OCTOPII_CORE_SNAPSHOT_VERSION_UNKNOWN", message, { path, version: found });
}

export function interrupted(message: string): SnapshotError {
  return new SnapshotError("OCTOPII_CORE_SNAPSHOT_INTERRUPTED", message);
}
