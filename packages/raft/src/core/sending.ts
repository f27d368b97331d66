import type { NodeId } from "@octopii/interfaces";
import { type Entry, entryWireBytes } from "../types.js";
import type { Progress } from "./progress.js";
import type { Replica } from "./replica.js";

/** Every other member gets a message when the step ends: entries if it lacks some, otherwise the commit index. */
export function broadcastAppend(raft: Replica): void {
  for (const progress of raft.progress) if (progress.id !== raft.id) raft.wantSend(progress, "always");
}

/** There is a new commit index. Every other member gets to know when the step ends, or the next one. */
export function broadcastCommit(raft: Replica): void {
  for (const progress of raft.progress) if (progress.id !== raft.id) raft.wantSend(progress, "commit");
}

/** New entries are there. Every other member gets them when the step ends, unless they are to wait for more. */
export function broadcastEntries(raft: Replica): void {
  for (const progress of raft.progress) if (progress.id !== raft.id) raft.wantSend(progress, "entries");
}

/** At the end of a step: one message, or as many as the window takes, to each follower that something is due to. */
export function sendDue(raft: Replica): void {
  for (const progress of raft.progress) {
    const { due } = progress;
    if (due === "nothing") continue;
    progress.due = "nothing";
    if (sendAppend(raft, progress, due === "always")) while (sendAppend(raft, progress, false));
    else if (due === "commit" && progress.canBumpCommit(raft.log.committedIndex)) {
      // Under load the next step has entries for it, and one message does for two.
      progress.due = "commit";
      raft.commitLingers = true;
    }
  }
}

/** A commit index that has lingered goes with this step, or with what is sent now. */
export function endLingering(raft: Replica): void {
  if (!raft.commitLingers) return;
  raft.commitLingers = false;
  for (const progress of raft.progress) if (progress.due === "commit") progress.due = "always";
}

/** All that is due goes now, whatever it might have waited for. */
export function sendAllDue(raft: Replica): void {
  sendDue(raft);
  endLingering(raft);
  sendDue(raft);
}

/** Sends what the follower lacks, if the flow allows. @param evenIfEmpty - send a bare commit index too. */
function sendAppend(raft: Replica, progress: Progress, evenIfEmpty: boolean): boolean {
  if (progress.paused || progress.awaitingReadFrom !== 0) return false;
  const { log, config } = raft;
  const from = progress.nextIndex;
  // What it would continue from was compacted away.
  if (from <= log.compactedIndex) return sendSnapshot(raft, progress);
  if (!hasEntriesFor(raft, progress)) {
    if (evenIfEmpty) emitAppend(raft, progress, []);
    return evenIfEmpty;
  }
  if (!log.isCached(from)) {
    progress.awaitingReadFrom = from;
    raft.fetches.push({ peer: progress.id, from, to: log.lastIndex, maxBytes: config.appendBytesMax });
    return false;
  }
  emitAppend(raft, progress, log.cached(from, log.lastIndex, config.appendBytesMax));
  return true;
}

/** Whether there are entries to send, and now is the time: with several messages in flight the next waits until it is full. */
function hasEntriesFor({ log, config }: Replica, { nextIndex, state, inflights }: Progress): boolean {
  if (nextIndex > log.lastIndex) return false;
  if (state !== "replicate") return true;
  if (inflights.isFull) return false;
  return inflights.count < config.eagerAppendsMax || log.wireBytesReach(nextIndex, config.appendBytesMax);
}

/** Sends `entries`, which begin at the follower's next index. */
export function emitAppend(raft: Replica, progress: Progress, entries: readonly Entry[]): void {
  const prevLogIndex = progress.nextIndex - 1;
  const { group, id: from, currentTerm: term, log } = raft;
  const leaderCommit = log.committedIndex;
  const prevLogTerm = log.termAt(prevLogIndex);
  raft.messages.push({ type: "AppendEntries", group, from, to: progress.id, term, prevLogIndex, prevLogTerm, entries, leaderCommit });
  let bytes = 0;
  for (const entry of entries) bytes += entry.data.length + entryWireBytes;
  progress.sent(entries.length, prevLogIndex + entries.length, bytes, leaderCommit);
}

/** @returns false: whatever came of it, nothing more can be sent now. Source: Raft §7. */
function sendSnapshot(raft: Replica, progress: Progress): false {
  const { snapshot, group, id: from, currentTerm: term } = raft;
  // A snapshot is work for everybody; a member that may be dead gets it when it speaks.
  if (snapshot === null || !progress.recentlyActive) return false;
  raft.traceProgress("snapshotSent", progress);
  progress.becomeSnapshot(snapshot.index);
  raft.traceProgress("snapshotPaused", progress);
  raft.messages.push({ type: "InstallSnapshot", group, from, to: progress.id, term, snapshot });
  return false;
}

/** What became of a snapshot that was sent. Either way the follower's own answer, or a heartbeat's, lets the flow go on. */
export function handleSnapshotReport(raft: Replica, id: NodeId, delivered: boolean): void {
  const progress = raft.progressOf(id);
  if (progress === undefined || progress.state !== "snapshot") return;
  // In this order, or we would probe behind a snapshot that never arrived.
  if (!delivered) progress.pendingSnapshot = 0;
  progress.becomeProbe();
  raft.traceProgress(delivered ? "snapshotDelivered" : "snapshotFailed", progress);
  progress.flowPaused = true;
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
  // It may be less than an append has told, which may be lost: the next acknowledgement has us tell it again.
  progress.sentCommit = commitIndex;
}

/** The network could not deliver: what was in flight is probably lost, so find out where the follower stands. */
export function handleUnreachable(raft: Replica, id: NodeId): void {
  const progress = raft.progressOf(id);
  if (progress === undefined || id === raft.id) return;
  if (progress.state === "replicate") progress.becomeProbe();
  raft.traceProgress("unreachable", progress);
}
