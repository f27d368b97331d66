import type { NodeId } from "@octopii/interfaces";
import type { Entry } from "../types.js";
import type { Progress } from "./progress.js";
import type { Replica } from "./replica.js";

export function broadcastAppend(raft: Replica): void {
  for (const progress of raft.progress) if (progress.id !== raft.id) sendAppend(raft, progress, true);
}

/** Sends what the follower lacks, if the flow allows. @param evenIfEmpty - send a bare commit index too. */
export function sendAppend(raft: Replica, progress: Progress, evenIfEmpty: boolean): boolean {
  if (progress.paused || progress.awaitingReadFrom !== 0) return false;
  const from = progress.nextIndex;
  const hasNews = from <= raft.log.lastIndex && !(progress.state === "replicate" && progress.inflights.isFull);
  if (!hasNews) {
    if (evenIfEmpty) emitAppend(raft, progress, []);
    return evenIfEmpty;
  }
  if (!raft.log.isCached(from)) {
    progress.awaitingReadFrom = from;
    raft.fetches.push({ peer: progress.id, from, to: raft.log.lastIndex, maxBytes: raft.config.appendBytesMax });
    return false;
  }
  emitAppend(raft, progress, raft.log.cached(from, raft.log.lastIndex, raft.config.appendBytesMax));
  return true;
}

/** Sends `entries`, which begin at the follower's next index. */
export function emitAppend(raft: Replica, progress: Progress, entries: readonly Entry[]): void {
  const prevLogIndex = progress.nextIndex - 1;
  const { group, id: from, currentTerm: term, log } = raft;
  raft.messages.push({
    type: "AppendEntries",
    group,
    from,
    to: progress.id,
    term,
    prevLogIndex,
    prevLogTerm: log.termAt(prevLogIndex),
    entries,
    leaderCommit: log.committedIndex,
  });
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length;
  progress.sent(entries.length, prevLogIndex + entries.length, bytes);
}

export function broadcastHeartbeat(raft: Replica): void {
  raft.heartbeatElapsedTicks = 0;
  for (const progress of raft.progress) if (progress.id !== raft.id) sendHeartbeat(raft, progress);
}

function sendHeartbeat(raft: Replica, progress: Progress): void {
  // Never beyond what the follower is known to hold: it commits what it has, and its tail may still be another leader's.
  const commitIndex = Math.min(progress.matchIndex, raft.log.committedIndex);
  const { group, id: from, currentTerm: term } = raft;
  raft.messages.push({ type: "Heartbeat", group, from, to: progress.id, term, commitIndex, readRound: raft.reads.round });
}

/** Tells a caught-up follower to campaign at once. Source: thesis §3.10. */
export function sendTimeoutNow(raft: Replica, to: NodeId): void {
  raft.messages.push({ type: "TimeoutNow", group: raft.group, from: raft.id, to, term: raft.currentTerm });
}
