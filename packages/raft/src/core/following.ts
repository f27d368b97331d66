import type { NodeId } from "@octopii/interfaces";
import { restoreMembership } from "../configuration/index.js";
import type { AppendEntries, Heartbeat, InstallSnapshot } from "../messages.js";
import type { Entry, Index, SnapshotMetadata } from "../types.js";
import { switchTo } from "./membership.js";
import type { Replica } from "./replica.js";

/** A follower takes entries, or says where the logs may match. Source: Raft §5.3. */
export function handleAppendEntries(raft: Replica, message: AppendEntries): void {
  const { log } = raft;
  // The sender is behind on what we have committed: tell it, so that it goes on from there.
  if (message.prevLogIndex < log.committedIndex) return acknowledge(raft, message.from, log.committedIndex);
  if (!log.matches(message.prevLogIndex, message.prevLogTerm)) return reject(raft, message);
  const fresh = firstNewEntry(raft, message.entries);
  const conflict = message.entries[fresh];
  if (conflict !== undefined) {
    if (conflict.index <= log.committedIndex) return raft.drop(message, "contradictsCommitted");
    if (conflict.index <= log.lastIndex) replaceFrom(raft, conflict);
    raft.append(fresh === 0 ? message.entries : message.entries.slice(fresh));
  }
  const lastNewIndex = message.prevLogIndex + message.entries.length;
  raft.commitTo(Math.min(message.leaderCommit, lastNewIndex));
  acknowledge(raft, message.from, lastNewIndex);
}

/** Position in `entries` of the first one that our log lacks or contradicts. */
function firstNewEntry(raft: Replica, entries: readonly Entry[]): number {
  let position = 0;
  for (const entry of entries) {
    if (!raft.log.matches(entry.index, entry.term)) break;
    position++;
  }
  return position;
}

/** Removes our entries from that of `conflict` on. */
function replaceFrom(raft: Replica, { index, term: newTerm }: Entry): void {
  const { durableIndex, lastIndex } = raft.log;
  raft.trace({ type: "truncate", index, existingTerm: raft.log.termAt(index), newTerm, durableIndex, lastIndex });
  raft.log.truncate(index);
  raft.writes.voidFrom(index);
  raft.changesAhead = raft.changesAhead.filter((ahead) => ahead < index);
}

/** The response waits for this step's write, so it never acknowledges an entry that a crash could take back. */
export function acknowledge(raft: Replica, to: NodeId, index: Index): void {
  const { group, id: from, currentTerm: term } = raft;
  raft.promises.push({ type: "AppendEntriesResponse", group, from, to, term, rejected: false, index, hintIndex: 0, hintTerm: 0 });
}

function reject(raft: Replica, message: AppendEntries): void {
  const { group, id: from, currentTerm: term, log } = raft;
  const { from: leader, prevLogIndex, prevLogTerm } = message;
  raft.trace({ type: "appendRefused", leader, prevLogIndex, prevLogTerm, ownTerm: log.termAt(prevLogIndex) });
  const hintIndex = log.findConflict(prevLogIndex, prevLogTerm);
  const hintTerm = log.termAt(hintIndex);
  raft.promises.push({
    type: "AppendEntriesResponse",
    group,
    from,
    to: leader,
    term,
    rejected: true,
    index: prevLogIndex,
    hintIndex,
    hintTerm,
  });
}

export function handleHeartbeat(raft: Replica, message: Heartbeat): void {
  // An honest leader never tells of more than we acknowledged; a confused one must not bring us down.
  if (message.commitIndex > raft.log.lastIndex) return raft.drop(message, "malformed");
  raft.commitTo(message.commitIndex);
  const { group, id: from, currentTerm: term } = raft;
  raft.messages.push({ type: "HeartbeatResponse", group, from, to: message.from, term, readRound: message.readRound });
}

/** A follower takes a snapshot in the place of its log, or says how far it is without. Source: Raft §7. */
export function handleInstallSnapshot(raft: Replica, { from, snapshot }: InstallSnapshot): void {
  const accepted = restoreSnapshot(raft, snapshot);
  acknowledge(raft, from, accepted ? raft.log.lastIndex : raft.log.committedIndex);
}

/** A stale or repeated snapshot changes nothing. @returns whether it took the place of the log. */
function restoreSnapshot(raft: Replica, snapshot: SnapshotMetadata): boolean {
  const { log } = raft;
  const ignored = (): false => {
    raft.trace({ type: "snapshot", phase: "ignored", snapshot });
    return false;
  };
  if (snapshot.index <= log.committedIndex) return ignored();
  const outcome = restoreMembership(snapshot.configuration, snapshot.index);
  // It may be older than the change that added us: that change follows in the log, and until it is applied we have no vote.
  if (!outcome.accepted) return ignored();
  if (log.matches(snapshot.index, snapshot.term)) {
    // We hold all of it already: no need to start over.
    raft.trace({ type: "snapshot", phase: "fastForwarded", snapshot });
    raft.commitTo(snapshot.index);
    return false;
  }
  raft.trace({ type: "snapshot", phase: "restoring", snapshot });
  log.restore(snapshot);
  raft.writes.voidAll();
  raft.changesAhead = [];
  raft.snapshot = snapshot;
  raft.unwrittenSnapshot = snapshot;
  switchTo(raft, outcome.membership.configuration, snapshot.index, []);
  raft.trace({ type: "snapshot", phase: "restored", snapshot });
  return true;
}
