import { validateConfiguration } from "../configuration/index.js";
import type { Message } from "../messages.js";
import type { Index, SnapshotMetadata, Term } from "../types.js";

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Whether a message could come from an honest peer at all: nobody leads term 0, for one. What fails here is dropped before it can touch any state. */
export function isWellFormed(message: Message): boolean {
  if (!isCount(message.term) || !Number.isSafeInteger(message.from) || message.from < 1) return false;
  switch (message.type) {
    case "AppendEntries":
      return (
        message.term > 0 &&
        isCount(message.prevLogIndex) &&
        isCount(message.prevLogTerm) &&
        isCount(message.leaderCommit) &&
        entriesFollow(message)
      );
    case "AppendEntriesResponse":
      return isCount(message.index) && isCount(message.hintIndex) && Number.isSafeInteger(message.hintTerm) && message.hintTerm >= -1;
    case "RequestVote":
    case "PreVote":
      return isCount(message.lastLogIndex) && isCount(message.lastLogTerm) && message.lastLogTerm <= message.term && isKnownCommit(message);
    case "Heartbeat":
      return message.term > 0 && isCount(message.commitIndex) && isCount(message.readRound);
    case "HeartbeatResponse":
      return isCount(message.readRound);
    case "InstallSnapshot":
      return isSnapshot(message.snapshot) && message.snapshot.term <= message.term;
    case "ReadIndex":
      return isCount(message.requestId) && typeof message.lease === "boolean";
    case "ReadIndexResponse":
      return isCount(message.requestId) && isCount(message.index);
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return typeof message.granted === "boolean" && isKnownCommit(message);
    case "TimeoutNow":
      return true;
    case "ForwardProposals":
      return isCount(message.requestId) && message.commands.length > 0;
    case "ForwardProposalsResponse":
      return isCount(message.requestId) && isCount(message.count) && isCount(message.firstIndex) && isCount(message.entryTerm);
    default:
      return unknownType(message);
  }
}

/** Whether a message answers one of ours. */
export function isResponse({ type }: Message): boolean {
  switch (type) {
    case "AppendEntriesResponse":
    case "HeartbeatResponse":
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return true;
    default:
      return false;
  }
}

function isKnownCommit({ commitIndex = 0, commitTerm = 0 }: { readonly commitIndex?: Index; readonly commitTerm?: Term }): boolean {
  return isCount(commitIndex) && isCount(commitTerm);
}

function isSnapshot({ index, term, configuration }: SnapshotMetadata): boolean {
  return (
    Number.isSafeInteger(index) && index >= 1 && Number.isSafeInteger(term) && term >= 1 && validateConfiguration(configuration) === null
  );
}

function unknownType(_message: never): false {
  return false;
}

/** Entries continue `prevLogIndex` without gaps, and terms never fall nor exceed the leader's. */
function entriesFollow(message: Message & { type: "AppendEntries" }): boolean {
  let index = message.prevLogIndex;
  let term = message.prevLogTerm;
  for (const entry of message.entries) {
    if (entry.index !== ++index || !Number.isSafeInteger(entry.index) || entry.term < term || !Number.isSafeInteger(entry.term))
      return false;
    term = entry.term;
  }
  return term <= message.term;
}
