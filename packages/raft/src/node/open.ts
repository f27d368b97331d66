import { isNodeId } from "../configuration/validate.js";
import { RaftError } from "../errors.js";
import type { LogStart } from "../log/raft-log.js";
import type { StoredLog } from "../ports.js";
import type { GroupId, HardState, SnapshotMetadata, TermRun } from "../types.js";
import type { RaftNodeIdentity, RaftNodePorts } from "./node-ports.js";
import { notANodeId } from "./refusals.js";

/** What a node begins with, read back from storage. */
export interface NodeStart {
  readonly group: GroupId;
  readonly hardState: HardState;
  readonly snapshot: SnapshotMetadata | null;
  readonly configuration: RaftNodeIdentity["configuration"];
  readonly log: LogStart;
}

const nothingYet: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };

/**
 * Reads the log back, chooses the newest snapshot that belongs to it, and brings the state machine to where that snapshot is.
 * @throws TypeError, RangeError for what no node can be opened with.
 * @throws {RaftError} `STORAGE_INCONSISTENT` if something that was once acknowledged is missing.
 */
export async function readStart<Result>(identity: RaftNodeIdentity, ports: RaftNodePorts<Result>): Promise<NodeStart> {
  const { id, group = 0 } = identity;
  if (!isNodeId(id)) throw notANodeId(id);
  if (!Number.isSafeInteger(group) || group < 0) throw new RangeError(`${String(group)} is no group id: ids are safe integers from 0 on.`);
  const { snapshot: canTake, restore } = ports.stateMachine;
  if (canTake !== undefined && restore === undefined) {
    throw new TypeError(
      "The state machine has a snapshot method and no restore: once its log is compacted it could never start again. Add it.",
    );
  }
  const stored = await ports.storage.load(group);
  const snapshots = (await ports.snapshots?.list(group)) ?? [];
  const snapshot = newestOf(snapshots, stored);
  const hardState = stored.hardState ?? nothingYet;
  const { compactedIndex, lastIndex, terms } = stored;
  if (hardState.commitIndex > lastIndex) {
    const message = `The log ends at ${lastIndex}, but entry ${hardState.commitIndex} was committed: acknowledged entries are missing from this disk.`;
    throw inconsistent(message, { commitIndex: hardState.commitIndex, lastIndex });
  }
  const lastTerm = terms[terms.length - 1]?.term ?? 0;
  if (lastTerm > hardState.currentTerm) {
    const message = `The log ends with an entry of term ${lastTerm}, but the newest term recorded is ${hardState.currentTerm}: this node's vote is missing from this disk; replace this node by a new one.`;
    throw inconsistent(message, { lastTerm, currentTerm: hardState.currentTerm });
  }
  if (compactedIndex > 0 && snapshot === null) {
    const message = `The log begins after entry ${compactedIndex}, and no snapshot that holds what was before is there: restore it, or replace this node by a new one.`;
    throw inconsistent(message, { compactedIndex });
  }
  if (snapshot !== null && ports.snapshots !== undefined) {
    if (ports.stateMachine.restore === undefined)
      throw inconsistent("There is a snapshot, but this state machine has no restore.", { index: snapshot.index });
    await ports.stateMachine.restore(ports.snapshots.read(group, snapshot.index));
  }
  const appliedIndex = snapshot?.index ?? 0;
  const commitIndex = Math.max(hardState.commitIndex, appliedIndex);
  const configuration = snapshot?.configuration ?? identity.configuration;
  return { group, hardState, snapshot, configuration, log: { compactedIndex, lastIndex, terms, commitIndex, appliedIndex } };
}

/**
 * The newest snapshot that is part of this log. One beyond it came from a leader, and a crash kept it from being installed; one whose term
 * the log contradicts cannot be of this group.
 */
function newestOf(snapshots: readonly SnapshotMetadata[], { compactedIndex, lastIndex, terms }: StoredLog): SnapshotMetadata | null {
  const usable = snapshots.filter(({ index, term }) => index >= compactedIndex && index <= lastIndex && termAt(terms, index) === term);
  return usable.reduce<SnapshotMetadata | null>((newest, one) => (newest === null || one.index > newest.index ? one : newest), null);
}

function termAt(terms: readonly TermRun[], index: number): number {
  let term = -1;
  for (const run of terms) if (run.firstIndex <= index) term = run.term;
  return term;
}

function inconsistent(message: string, details: Readonly<Record<string, unknown>>): RaftError {
  return new RaftError("OCTOPII_RAFT_STORAGE_INCONSISTENT", message, { outcome: "failed", details });
}
