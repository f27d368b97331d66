import { validateConfiguration } from "../configuration/index.js";
import { forwardRefusals, type Message, type PreVote, type RequestVote, readRefusals } from "../messages.js";
import type { Entry, EntryKind, Index, SnapshotMetadata, Term } from "../types.js";

/** No log and no group comes to so many entries or terms. Whoever claims it would have us run out of the integers that can be counted on. */
const highest = 2 ** 52;

const entryKinds: Readonly<Record<EntryKind, true>> = { command: true, noop: true, configuration: true, founding: true };
const nodeLists = ["voters", "votersOutgoing", "learners", "learnersNext"] as const;

const isCount = (value: number): boolean => Number.isSafeInteger(value) && value >= 0;
/** A term or an index. */
const isPosition = (value: number): boolean => Number.isSafeInteger(value) && value >= 0 && value <= highest;

/**
 * Whether a message could come from an honest peer at all: nobody leads term 0, for one. What fails here is dropped before it can touch any
 * state. Types are not taken for granted: whoever brings a network of their own may hand over anything.
 */
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
      return (
        typeof message.rejected === "boolean" &&
        isPosition(message.index) &&
        isPosition(message.hintIndex) &&
        Number.isSafeInteger(message.hintTerm) &&
        message.hintTerm >= -1
      );
    case "RequestVote":
      return typeof message.leadershipTransfer === "boolean" && isBallot(message);
    case "PreVote":
      return isBallot(message);
    case "Heartbeat":
      return message.term > 0 && isPosition(message.commitIndex) && isCount(message.readRound);
    case "HeartbeatResponse":
      return isCount(message.readRound);
    case "InstallSnapshot":
      return isSnapshot(message.snapshot) && message.snapshot.term <= message.term;
    case "ReadIndex":
      return isCount(message.requestId) && typeof message.lease === "boolean";
    case "ReadIndexResponse":
      return (
        isCount(message.requestId) &&
        isPosition(message.index) &&
        (message.index === 0 ? isOneOf(readRefusals, message.refusal) : message.refusal === null)
      );
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return typeof message.granted === "boolean" && isKnownCommit(message);
    case "TimeoutNow":
      return true;
    case "ForwardProposals":
      return isCount(message.requestId) && areCommands(message.commands);
    case "ForwardProposalsResponse":
      return (
        isCount(message.requestId) &&
        isCount(message.count) &&
        isPosition(message.firstIndex) &&
        isPosition(message.entryTerm) &&
        (message.refusal === null || isOneOf(forwardRefusals, message.refusal))
      );
    default:
      return unknownType(message);
  }
}

const isOneOf = (known: readonly unknown[], value: unknown): boolean => known.includes(value);

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

function isBallot(message: RequestVote | PreVote): boolean {
  const { lastLogIndex, lastLogTerm, term } = message;
  return isPosition(lastLogIndex) && isPosition(lastLogTerm) && lastLogTerm <= term && isKnownCommit(message);
}

function isKnownCommit({ commitIndex = 0, commitTerm = 0 }: { readonly commitIndex?: Index; readonly commitTerm?: Term }): boolean {
  return isPosition(commitIndex) && isPosition(commitTerm);
}

function isSnapshot(snapshot: SnapshotMetadata): boolean {
  if (!isObject(snapshot) || !isObject(snapshot.configuration)) return false;
  const { index, term, configuration } = snapshot;
  if (!nodeLists.every((name) => isNodeList(configuration[name])) || typeof configuration.autoLeave !== "boolean") return false;
  return isPosition(index) && index >= 1 && isPosition(term) && term >= 1 && validateConfiguration(configuration) === null;
}

function areCommands(commands: readonly Uint8Array[]): boolean {
  return Array.isArray(commands) && commands.length > 0 && commands.every((command) => command instanceof Uint8Array);
}

function isNodeList(list: readonly unknown[]): boolean {
  return Array.isArray(list) && list.every((id) => typeof id === "number");
}

const isObject = (value: unknown): boolean => typeof value === "object" && value !== null;

function unknownType(_message: never): false {
  return false;
}

/** Entries continue `prevLogIndex` without gaps, and terms never fall nor exceed the leader's. */
function entriesFollow(message: Message & { type: "AppendEntries" }): boolean {
  if (!Array.isArray(message.entries)) return false;
  let index = message.prevLogIndex;
  let term = message.prevLogTerm;
  for (const entry of message.entries as readonly Entry[]) {
    if (!isObject(entry) || entry.index !== ++index || !isPosition(entry.index)) return false;
    // Types first: what is no number or string need not even let itself be compared.
    if (!Number.isSafeInteger(entry.term) || entry.term < term) return false;
    if (!(entry.data instanceof Uint8Array) || typeof entry.kind !== "string" || !Object.hasOwn(entryKinds, entry.kind)) return false;
    term = entry.term;
  }
  return term <= message.term;
}
