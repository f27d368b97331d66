import { encodeConfiguration } from "../configuration/index.js";
import type { AppendEntriesResponse, HeartbeatResponse } from "../messages.js";
import { type Entry, type EntryKind, entryMemoryBytes, type Index } from "../types.js";
import type { FetchedEntries } from "./input-output.js";
import type { Progress } from "./progress.js";
import { confirmReads, releaseEarlyReads } from "./read-index.js";
import type { Replica } from "./replica.js";
import { broadcastAppend, broadcastCommit, emitAppend } from "./sending.js";
import { continueTransfer } from "./transfer.js";

const nothing = new Uint8Array(0);

/**
 * A new leader appends a no-op, by which the entries of earlier terms get committed. The very first entry of a group holds the founders'
 * configuration instead. Source: Raft §5.4.2, §8.
 */
export function announceLeadership(raft: Replica): void {
  if (raft.log.lastIndex === 0) appendOwn(raft, "founding", [encodeConfiguration(raft.configuration)]);
  else appendOwn(raft, "noop", [nothing]);
  broadcastAppend(raft);
}

export function appendOwn(raft: Replica, kind: EntryKind, datas: readonly Uint8Array[]): void {
  let index = raft.log.lastIndex;
  const term = raft.currentTerm;
  const entries: Entry[] = [];
  for (const data of datas) {
    entries.push({ index: ++index, term, kind, data });
    raft.unappliedBytes += data.length + entryMemoryBytes;
  }
  raft.append(entries);
}

/** Entries that an earlier step asked storage for. */
export function handleFetched(raft: Replica, fetched: FetchedEntries): void {
  const progress = raft.progressOf(fetched.peer);
  if (progress === undefined || progress.awaitingReadFrom !== fetched.from) return;
  progress.awaitingReadFrom = 0;
  raft.wantSend(progress, "entries");
  if (fetched.entries.length === 0 || progress.nextIndex !== fetched.from || progress.paused) return;
  // Compacted since, and with it the entry that these follow.
  if (fetched.from <= raft.log.compactedIndex) return;
  // The read may be older than our log: it can outlive a leadership in which these very indexes were rewritten.
  if (!fetched.entries.every((entry) => raft.log.matches(entry.index, entry.term))) return;
  emitAppend(raft, progress, fetched.entries);
}

export function handleAppendEntriesResponse(raft: Replica, message: AppendEntriesResponse): void {
  const progress = raft.progressOf(message.from);
  if (progress === undefined) return raft.drop(message, "unknownSender");
  if (message.index > raft.log.lastIndex) return raft.drop(message, "malformed");
  progress.answered();
  if (message.rejected) return stepBack(raft, progress, message);
  const isNews = progress.matchedTo(message.index);
  if (!isNews && !(progress.state === "probe" && progress.matchIndex === message.index)) return;
  resumeFlow(raft, progress, message.index);
  if (advanceCommit(raft, message.index)) broadcastCommit(raft);
  // It may lack the latest commit index; a heartbeat would bring it later.
  else if (progress.canBumpCommit(raft.log.committedIndex)) raft.wantSend(progress, "commit");
  // The window opened: fill it.
  raft.wantSend(progress, "entries");
  continueTransfer(raft, progress.id);
}

function resumeFlow(raft: Replica, progress: Progress, index: number): void {
  if (progress.state === "probe") return progress.becomeReplicate();
  if (progress.state === "replicate") return progress.inflights.freeThrough(index);
  // However it got there, by our snapshot, another's, or the log: what it lacks now, the log has.
  if (progress.matchIndex < raft.log.compactedIndex) return;
  raft.traceProgress("snapshotCaughtUp", progress);
  progress.becomeReplicate();
}

function stepBack(raft: Replica, progress: Progress, message: AppendEntriesResponse): void {
  const { index, hintIndex, hintTerm } = message;
  raft.trace({ type: "appendRejected", peer: progress.id, index, hintIndex, hintTerm });
  // The follower's hint lets us skip all of its terms that we have outgrown; our own log may let us skip further.
  const probe = hintTerm > 0 ? raft.log.findConflict(hintIndex, hintTerm) : hintIndex;
  if (!progress.steppedBack(index, probe)) return;
  raft.traceProgress("steppedBack", progress);
  if (progress.state === "replicate") progress.becomeProbe();
  raft.wantSend(progress, "always");
}

export function handleHeartbeatResponse(raft: Replica, message: HeartbeatResponse): void {
  const progress = raft.progressOf(message.from);
  if (progress === undefined) return raft.drop(message, "unknownSender");
  progress.answered();
  progress.flowPaused = false;
  // It is alive but behind, or all that we sent was lost: a message, empty if need be, finds out where it stands.
  if (progress.matchIndex < raft.log.lastIndex || progress.state === "probe") raft.wantSend(progress, "always");
  if (message.readRound > progress.confirmedReadRound && message.readRound <= raft.reads.round) {
    progress.confirmedReadRound = message.readRound;
    confirmReads(raft);
  }
}

/** Our own entries up to the durable index count towards the quorum now. */
export function handleOwnDurability(raft: Replica): void {
  const own = raft.progressOf(raft.id);
  const { durableIndex } = raft.log;
  if (own?.matchedTo(durableIndex) === true && advanceCommit(raft, durableIndex)) broadcastCommit(raft);
}

/**
 * Commits what a quorum holds, counting only entries of our own term. Source: Raft §5.4.2, figure 8.
 * @param heldIndex - how far somebody was heard to hold the log: nothing beyond it is new.
 */
export function advanceCommit(raft: Replica, heldIndex: Index): boolean {
  if (heldIndex <= raft.log.committedIndex) return false;
  const index = raft.quorumMatchIndex();
  if (raft.log.termAt(index) !== raft.currentTerm) return false;
  if (!raft.commitTo(index)) return false;
  releaseEarlyReads(raft);
  return true;
}
