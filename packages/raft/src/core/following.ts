import type { NodeId } from "@octopii/interfaces";
import type { AppendEntries, Heartbeat } from "../messages.js";
import type { Entry, Index } from "../types.js";
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
    if (conflict.index <= log.lastIndex) {
      log.truncate(conflict.index);
      raft.writes.voidFrom(conflict.index);
      raft.trace({ type: "truncate", index: conflict.index });
    }
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

/** The response waits for this step's write, so it never acknowledges an entry that a crash could take back. */
export function acknowledge(raft: Replica, to: NodeId, index: Index): void {
  const { group, id: from, currentTerm: term } = raft;
  const outcome = { rejected: false, index, hintIndex: 0, hintTerm: 0 };
  raft.promises.push({ type: "AppendEntriesResponse", group, from, to, term, ...outcome });
}

function reject(raft: Replica, message: AppendEntries): void {
  const { group, id: from, currentTerm: term, log } = raft;
  const hintIndex = log.findConflict(message.prevLogIndex, message.prevLogTerm);
  const outcome = { rejected: true, index: message.prevLogIndex, hintIndex, hintTerm: log.termAt(hintIndex) };
  raft.promises.push({ type: "AppendEntriesResponse", group, from, to: message.from, term, ...outcome });
}

export function handleHeartbeat(raft: Replica, message: Heartbeat): void {
  // An honest leader never tells of more than we acknowledged; a confused one must not bring us down.
  if (message.commitIndex > raft.log.lastIndex) return raft.drop(message, "malformed");
  raft.commitTo(message.commitIndex);
  const { group, id: from, currentTerm: term } = raft;
  raft.messages.push({ type: "HeartbeatResponse", group, from, to: message.from, term, readRound: message.readRound });
}
