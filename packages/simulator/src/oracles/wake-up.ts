import type { NodeId } from "@octopii/interfaces";
import type { HardState, Index, TermRun, TraceEvent } from "@octopii/raft";
import type { Elections } from "./elections.js";
import type { GroupHistory } from "./group-history.js";
import { ObservedLog } from "./observed-log.js";
import type { ObservedReplica } from "./observed-replica.js";
import { isQuorum } from "./quorum.js";
import { OracleViolation } from "./violation.js";

/**
 * A process begins with what its disk has kept: entries that others, or it itself, made known before, and all that the group counted on.
 * @param replicas - the others as they are, and this one as it was.
 */
export function wakeUp(
  id: NodeId,
  { hardState, lastIndex, terms }: TraceEvent & { readonly type: "restore" },
  replicas: ReadonlyMap<NodeId, ObservedReplica>,
  history: GroupHistory,
  elections: Elections,
): ObservedReplica {
  const log = readLog(id, lastIndex, terms, history);
  const before = replicas.get(id);
  if (before !== undefined) elections.wokeUp(before, hardState.currentTerm, hardState.votedFor);
  checkKept(id, log, replicas, history);
  checkCommitIndex(id, hardState, log, history);
  const { founding } = history.configurations;
  return {
    id,
    log,
    role: "follower",
    currentTerm: hardState.currentTerm,
    votedFor: hardState.votedFor,
    commitIndex: Math.max(log.base, hardState.commitIndex),
    appliedIndex: 0,
    snapshotIndex: 0,
    // Whoever joined later knows of nobody until it has applied the founding.
    taken: founding.configuration.voters.includes(id) ? founding : { index: 0, configuration: nobody },
  };
}

const nobody = { voters: [], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };

function readLog(id: NodeId, lastIndex: Index, runs: readonly TermRun[], history: GroupHistory): ObservedLog {
  const { firstIndex: compactedIndex, term: compactedTerm } = runs[0] as TermRun;
  const log = new ObservedLog(history.baseAt(id, compactedIndex, compactedTerm));
  for (let index = compactedIndex + 1, run = 0; index <= lastIndex; index++) {
    while ((runs[run + 1]?.firstIndex ?? Number.POSITIVE_INFINITY) <= index) run++;
    const { term } = runs[run] as TermRun;
    const hash = history.hashOf(index, term);
    if (hash === undefined)
      throw new OracleViolation("phantom", `node ${id} woke up with entry ${index} of term ${term}, which nobody ever appended`);
    if (!history.follows(hash, log.hashAt(index - 1) as number))
      throw new OracleViolation(
        "phantom",
        `node ${id} woke up with entry ${index} of term ${term} behind another than it was written behind`,
      );
    log.append(term, hash);
  }
  return log;
}

/** What was committed is still held by a quorum of those with whom it was committed: otherwise somebody promised what was not on its disk. */
function checkKept(id: NodeId, log: ObservedLog, replicas: ReadonlyMap<NodeId, ObservedReplica>, history: GroupHistory): void {
  const commit = history.newestCommit;
  if (commit === null) return;
  const { index, configuration } = commit;
  const hash = history.committedHash(index) as number;
  const holds = (voter: NodeId): boolean => (voter === id ? log : replicas.get(voter)?.log)?.holds(index, hash) ?? false;
  if (holds(id) || isQuorum(configuration, holds)) return;
  throw new OracleViolation("durability", `node ${id} woke up without entry ${index}, which was committed with its help`);
}

function checkCommitIndex(id: NodeId, { commitIndex }: HardState, log: ObservedLog, history: GroupHistory): void {
  if (commitIndex === 0) return;
  const hash = history.committedHash(commitIndex);
  if (hash === undefined || !log.holds(commitIndex, hash))
    throw new OracleViolation(
      "commit",
      `node ${id} woke up with commit index ${commitIndex}, and its log does not hold that committed entry`,
    );
}
