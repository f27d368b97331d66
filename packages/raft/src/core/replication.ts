import type { NodeId } from "@octopii/interfaces";
import type { AppendEntriesResponse, HeartbeatResponse } from "../messages.js";
import { type Entry, type EntryKind, entryMemoryBytes } from "../types.js";
import type { FetchedEntries, ProposalRefusal, ProposalResult } from "./input-output.js";
import type { Progress } from "./progress.js";
import { confirmReads, releaseEarlyReads } from "./read-index.js";
import type { Replica } from "./replica.js";
import { broadcastAppend, emitAppend, sendAppend, sendTimeoutNow } from "./sending.js";

const nothing = new Uint8Array(0);

/** A new leader appends a no-op, by which the entries of earlier terms get committed. Source: Raft §5.4.2, §8. */
export function announceLeadership(raft: Replica): void {
  appendOwn(raft, "noop", [nothing]);
  broadcastAppend(raft);
}

/** Takes as many of the commands as limits allow, in order. */
export function propose(raft: Replica, commands: readonly Uint8Array[]): ProposalResult {
  const firstIndex = raft.log.lastIndex + 1;
  const result = (count: number, refusal: ProposalRefusal | null): ProposalResult => {
    return { count, firstIndex, term: raft.currentTerm, refusal };
  };
  if (raft.role !== "leader") return result(0, "notLeader");
  if (raft.transferTarget !== 0) return result(0, "transferring");
  let count = 0;
  let refusal: ProposalRefusal | null = null;
  for (const command of commands) {
    refusal = refusalOf(raft, command.length);
    if (refusal !== null) break;
    raft.uncommittedBytes += command.length + entryMemoryBytes;
    count++;
  }
  if (count > 0) {
    appendOwn(raft, "command", count === commands.length ? commands : commands.slice(0, count));
    broadcastAppend(raft);
  }
  return result(count, refusal);
}

function refusalOf(raft: Replica, bytes: number): ProposalRefusal | null {
  if (bytes > raft.config.entryBytesMax) return "entryTooLarge";
  if (raft.uncommittedBytes > 0 && raft.uncommittedBytes + bytes + entryMemoryBytes > raft.config.uncommittedBytesMax)
    return "tooManyUncommittedBytes";
  return null;
}

function appendOwn(raft: Replica, kind: EntryKind, datas: readonly Uint8Array[]): void {
  let index = raft.log.lastIndex;
  const term = raft.currentTerm;
  const entries: Entry[] = [];
  for (const data of datas) entries.push({ index: ++index, term, kind, data });
  raft.append(entries);
}

/** Entries that an earlier {@link sendAppend} asked storage for. */
export function handleFetched(raft: Replica, fetched: FetchedEntries): void {
  const progress = raft.progressOf(fetched.peer);
  if (progress === undefined || progress.awaitingReadFrom !== fetched.from) return;
  progress.awaitingReadFrom = 0;
  if (fetched.entries.length === 0 || progress.nextIndex !== fetched.from) return;
  // The read may be older than our log: it can outlive a leadership in which these very indexes were rewritten.
  if (!fetched.entries.every((entry) => raft.log.matches(entry.index, entry.term))) return;
  emitAppend(raft, progress, fetched.entries);
}

export function handleAppendEntriesResponse(raft: Replica, message: AppendEntriesResponse): void {
  const progress = raft.progressOf(message.from);
  if (progress === undefined) return raft.drop(message, "unknownSender");
  if (message.index > raft.log.lastIndex) return raft.drop(message, "malformed");
  progress.recentlyActive = true;
  if (message.rejected) return stepBack(raft, progress, message);
  const wasPaused = progress.paused;
  const isNews = progress.matchedTo(message.index);
  if (!isNews && !(progress.state === "probe" && progress.matchIndex === message.index)) return;
  if (progress.state === "probe") progress.becomeReplicate();
  else progress.inflights.freeThrough(message.index);
  if (advanceCommit(raft)) broadcastAppend(raft);
  else if (wasPaused) sendAppend(raft, progress, true);
  // The window opened: fill it, each message as large as allowed.
  while (sendAppend(raft, progress, false));
  if (raft.transferTarget === progress.id && progress.matchIndex === raft.log.lastIndex) sendTimeoutNow(raft, progress.id);
}

function stepBack(raft: Replica, progress: Progress, message: AppendEntriesResponse): void {
  // The follower's hint lets us skip all of its terms that we have outgrown; our own log may let us skip further.
  const probe = message.hintTerm > 0 ? raft.log.findConflict(message.hintIndex, message.hintTerm) : message.hintIndex;
  if (!progress.steppedBack(message.index, probe)) return;
  if (progress.state === "replicate") progress.becomeProbe();
  sendAppend(raft, progress, true);
}

export function handleHeartbeatResponse(raft: Replica, message: HeartbeatResponse): void {
  const progress = raft.progressOf(message.from);
  if (progress === undefined) return raft.drop(message, "unknownSender");
  progress.recentlyActive = true;
  progress.paused = false;
  // It is alive but behind, or all that we sent was lost: a message, empty if need be, finds out where it stands.
  if (progress.matchIndex < raft.log.lastIndex || progress.state === "probe") sendAppend(raft, progress, true);
  if (message.readRound > progress.confirmedReadRound && message.readRound <= raft.reads.round) {
    progress.confirmedReadRound = message.readRound;
    confirmReads(raft);
  }
}

/** Our own entries up to the durable index count towards the quorum now. */
export function handleOwnDurability(raft: Replica): void {
  const own = raft.progressOf(raft.id);
  if (own?.matchedTo(raft.log.durableIndex) === true && advanceCommit(raft)) broadcastAppend(raft);
}

/** Commits what a quorum holds, counting only entries of our own term. Source: Raft §5.4.2, figure 8. */
function advanceCommit(raft: Replica): boolean {
  const index = raft.quorumIndex((id) => raft.progressOf(id)?.matchIndex ?? 0);
  if (raft.log.termAt(index) !== raft.currentTerm) return false;
  const before = raft.log.committedIndex;
  if (!raft.commitTo(index)) return false;
  raft.uncommittedBytes = Math.max(0, raft.uncommittedBytes - raft.log.bytesBetween(before + 1, index));
  releaseEarlyReads(raft);
  return true;
}

/** Begins to hand leadership to a voter; it ends with the target's election, or after an election timeout without it. */
export function transferLeadership(raft: Replica, target: NodeId): void {
  const progress = raft.progressOf(target);
  if (raft.role !== "leader" || target === raft.id || progress === undefined || !raft.configuration.voters.includes(target)) return;
  raft.electionElapsedTicks = 0;
  raft.transferTarget = target;
  if (progress.matchIndex === raft.log.lastIndex) sendTimeoutNow(raft, target);
  else sendAppend(raft, progress, true);
}

/** The network could not deliver: what was in flight is probably lost, so find out where the follower stands. */
export function handleUnreachable(raft: Replica, id: NodeId): void {
  const progress = raft.progressOf(id);
  if (progress !== undefined && progress.state === "replicate" && id !== raft.id) progress.becomeProbe();
}
