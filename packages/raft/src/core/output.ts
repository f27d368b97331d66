import type { HardState } from "../types.js";
import type { ApplyRange, ChangeResult, LogWrite, ProposalResult, RaftOutput } from "./input-output.js";
import type { Replica } from "./replica.js";

/** Gathers what a step wants done. @param last - the hard state of the newest write so far. */
export function takeOutput(raft: Replica, last: HardState, proposed: ProposalResult | null, changed: ChangeResult | null): RaftOutput {
  const output: RaftOutput = {
    write: takeWrite(raft, last),
    messages: raft.messages,
    apply: takeApplicable(raft),
    fetch: raft.fetches,
    proposed,
    changed,
    reads: raft.readyReads,
    commitLingers: raft.commitLingers,
  };
  raft.messages = [];
  raft.fetches = [];
  raft.readyReads = [];
  return output;
}

function takeWrite(raft: Replica, last: HardState): LogWrite | null {
  const { currentTerm, votedFor, promises: releases, unwrittenSnapshot: snapshot } = raft;
  const commitIndex = raft.log.committedIndex;
  const promised = currentTerm !== last.currentTerm || votedFor !== last.votedFor;
  const hardState = promised || commitIndex !== last.commitIndex ? { currentTerm, votedFor, commitIndex } : null;
  const entries = raft.log.takeUnwritten();
  if (hardState === null && snapshot === null && entries.length === 0 && releases.length === 0) return null;
  const sequence = raft.writes.add(raft.log.lastIndex, releases);
  raft.promises = [];
  raft.unwrittenSnapshot = null;
  const lazy = entries.length === 0 && snapshot === null && !promised;
  // A lone voter commits by its own disk; a leader among others hears from them first.
  const awaited = releases.length > 0 || snapshot !== null || raft.isOnlyVoter;
  return { sequence, hardState, snapshot, entries, lazy, awaited, releases };
}

function takeApplicable({ log, config }: Replica): ApplyRange | null {
  // One batch at a time: while the state machine works, the next batch gathers. A snapshot comes before everything that follows it.
  if (log.restoringIndex !== 0 || log.applyingIndex !== log.appliedIndex || log.applyingIndex >= log.applicableIndex) return null;
  const from = log.applyingIndex + 1;
  if (!log.isCached(from)) {
    const to = Math.min(log.applicableIndex, log.firstCachedIndex - 1);
    log.applyingIndex = to;
    return { from, to, entries: null, hasNext: to < log.applicableIndex };
  }
  const entries = log.cached(from, log.applicableIndex, config.applyBytesMax);
  const to = from + entries.length - 1;
  log.applyingIndex = to;
  return { from, to, entries, hasNext: to < log.applicableIndex };
}
