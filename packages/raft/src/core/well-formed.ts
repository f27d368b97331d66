import type { Message } from "../messages.js";

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;

/** Whether a message could come from an honest peer at all. What fails here is dropped before it can touch any state. */
export function isWellFormed(message: Message): boolean {
  if (!isCount(message.term) || !Number.isSafeInteger(message.from) || message.from < 1) return false;
  switch (message.type) {
    case "AppendEntries":
      return isCount(message.prevLogIndex) && isCount(message.prevLogTerm) && isCount(message.leaderCommit) && entriesFollow(message);
    case "AppendEntriesResponse":
      return isCount(message.index) && isCount(message.hintIndex) && Number.isSafeInteger(message.hintTerm) && message.hintTerm >= -1;
    case "RequestVote":
    case "PreVote":
      return isCount(message.lastLogIndex) && isCount(message.lastLogTerm) && message.lastLogTerm <= message.term;
    case "Heartbeat":
      return isCount(message.commitIndex) && isCount(message.readRound);
    case "HeartbeatResponse":
      return isCount(message.readRound);
    case "ReadIndex":
      return isCount(message.requestId);
    case "ReadIndexResponse":
      return isCount(message.requestId) && isCount(message.index);
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return typeof message.granted === "boolean";
    case "TimeoutNow":
      return true;
    default:
      return unknownType(message);
  }
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
