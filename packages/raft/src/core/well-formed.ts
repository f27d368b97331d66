import { validateConfiguration } from "../configuration/index.js";
import type { Message } from "../messages.js";
import type { Index, SnapshotMetadata, Term } from "../types.js";

/** No log and no group comes to so many entries or terms. Whoever claims it would have us run out of the integers that can be counted on. */
const highest = 2 ** 52;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
/** A term or an index. */
const isPosition = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= highest;

/** Whether a message could come from an honest peer at all: nobody leads term 0, for one. What fails here is dropped before it can touch any state. */
export function isWellFormed(message: Message): boolean {
  if (!isPosition(message.term) || !Number.isSafeInteger(message.from) || message.from < 1) return false;
  switch (message.type) {
    case "AppendEntries":
      return (
        message.term > 0 &&
        isPosition(message.prevLogIndex) &&
        isPosition(message.prevLogTerm) &&
        isPosition(message.leaderCommit) &&
        entriesFollow(message)
      );
    case "AppendEntriesResponse":
      return isPosition(message.index) && isPosition(message.hintIndex) && Number.isSafeInteger(message.hintTerm) && message.hintTerm >= -1;
    case "RequestVote":
    case "PreVote":
      return (
        isPosition(message.lastLogIndex) && isPosition(message.lastLogTerm) && message.lastLogTerm <= message.term && isKnownCommit(message)
      );
    case "Heartbeat":
      return message.term > 0 && isPosition(message.commitIndex) && isCount(message.readRound);
    case "HeartbeatResponse":
      return isCount(message.readRound);
    case "InstallSnapshot":
      return isSnapshot(message.snapshot) && message.snapshot.term <= message.term;
    case "ReadIndex":
      return isCount(message.requestId) && typeof message.lease === "boolean";
    case "ReadIndexResponse":
      return isCount(message.requestId) && isPosition(message.index);
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return typeof message.granted === "boolean" && isKnownCommit(message);
    case "TimeoutNow":
      return true;
    case "ForwardProposals":
      return isCount(message.requestId) && message.commands.length > 0;
    case "ForwardProposalsResponse":
      return isCount(message.requestId) && isCount(message.count) && isPosition(message.firstIndex) && isPosition(message.entryTerm);
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
  return isPosition(commitIndex) && isPosition(commitTerm);
}

function isSnapshot({ index, term, configuration }: SnapshotMetadata): boolean {
  return isPosition(index) && index >= 1 && isPosition(term) && term >= 1 && validateConfiguration(configuration) === null;
}

function unknownType(_message: never): false {
  return false;
}

/** Entries continue `prevLogIndex` without gaps, and terms never fall nor exceed the leader's. */
function entriesFollow(message: Message & { type: "AppendEntries" }): boolean {
  let index = message.prevLogIndex;
  let term = message.prevLogTerm;
  for (const entry of message.entries) {
    if (entry.index !== ++index || !isPosition(entry.index) || entry.term < term || !Number.isSafeInteger(entry.term)) return false;
    term = entry.term;
  }
  return term <= message.term;
}
