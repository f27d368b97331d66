import type { HardState } from "../types.js";
import type { ApplyRange, ChangeResult, LogWrite, ProposalResult, RaftOutput } from "./input-output.js";
import type { Replica } from "./replica.js";

const nothing: readonly never[] = [];

/** Gathers what a step wants done. @param last - the hard state of the newest write so far. */
export function takeOutput(raft: Replica, last: HardState, proposed: ProposalResult | null, changed: ChangeResult | null): RaftOutput {
  const { messages, fetches, readyReads } = raft;
  // Most steps have little to say, and there are many: what is empty stays for the next.
  if (messages.length > 0) raft.messages = [];
  if (fetches.length > 0) raft.fetches = [];
  if (readyReads.length > 0) raft.readyReads = [];
  return {
    write: takeWrite(raft, last),
    messages: messages.length > 0 ? messages : nothing,
    apply: takeApplicable(raft),
    fetch: fetches.length > 0 ? fetches : nothing,
    proposed,
    changed,
    reads: readyReads.length > 0 ? readyReads : nothing,
    commitLingers: raft.commitLingers,
  };
}

function takeWrite(raft: Replica, last: HardState): LogWrite | null {
  const { currentTerm, votedFor, promises, unwrittenSnapshot: snapshot } = raft;
  const commitIndex = raft.log.committedIndex;
  const promised = currentTerm !== last.currentTerm || votedFor !== last.votedFor;
  const hardState = promised || commitIndex !== last.commitIndex ? { currentTerm, votedFor, commitIndex } : null;
  const entries = raft.log.takeUnwritten();
  if (hardState === null && snapshot === null && entries.length === 0 && promises.length === 0) return null;
  const releases = promises.length > 0 ? promises : nothing;
  if (promises.length > 0) raft.promises = [];
  const sequence = raft.writes.add(raft.log.lastIndex, releases);
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
