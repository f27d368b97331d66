import type { NodeId } from "@octopii/interfaces";
import type { ConfigurationChange, MemberChange } from "../configuration/index.js";
import type { Message } from "../messages.js";
import type { Role } from "../types.js";

/** What a line of the trace tells of. */
export type StateTraceEventName =
  | "InitState"
  | "BecomeFollower"
  | "BecomeCandidate"
  | "BecomeLeader"
  | "Commit"
  | "Replicate"
  | "ChangeConf"
  | "ApplyConfChange"
  | "Ready"
  | "SendAppendEntriesRequest"
  | "ReceiveAppendEntriesRequest"
  | "SendAppendEntriesResponse"
  | "ReceiveAppendEntriesResponse"
  | "SendRequestVoteRequest"
  | "ReceiveRequestVoteRequest"
  | "SendRequestVoteResponse"
  | "ReceiveRequestVoteResponse";

/** A message as the trace tells it; ids are decimal strings. */
export interface TracedMessage {
  readonly type: "MsgApp" | "MsgAppResp" | "MsgHeartbeat" | "MsgHeartbeatResp" | "MsgSnap" | "MsgVote" | "MsgVoteResp";
  readonly term: number;
  readonly from: string;
  readonly to: string;
  /** How many entries; of a snapshot, how many it stands for. */
  readonly entries: number;
  readonly logTerm: number;
  readonly index: number;
  readonly commit: number;
  readonly vote: string;
  readonly reject: boolean;
  readonly rejectHint: number;
}

/** A change that is proposed, or the voters that have taken effect. */
export interface TracedChange {
  readonly changes?: readonly { readonly nid: string; readonly action: "AddNewServer" | "AddLearner" | "RemoveServer" }[];
  readonly newconf?: readonly string[];
}

/** One line: what happened, and what the replica was like then. */
export interface StateTraceEvent {
  readonly name: StateTraceEventName;
  readonly nid: string;
  readonly state: { readonly term: number; readonly vote: string; readonly commit: number };
  readonly role: string;
  /** The last index of the log. */
  readonly log: number;
  /** The voters, and while joint the outgoing ones. */
  readonly conf: readonly [readonly string[], readonly string[]];
  readonly msg?: TracedMessage;
  readonly prop?: { readonly cc?: TracedChange; readonly match?: number; readonly next?: number };
}

export const roleNames: Readonly<Record<Role, string>> = {
  follower: "StateFollower",
  preCandidate: "StatePreCandidate",
  candidate: "StateCandidate",
  leader: "StateLeader",
};

/** Which line tells of a message on its way; null for those that the specification does not know. */
export function messageEventName(way: "Send" | "Receive", { type }: Message): StateTraceEventName | null {
  switch (type) {
    case "AppendEntries":
    case "Heartbeat":
    case "InstallSnapshot":
      return `${way}AppendEntriesRequest`;
    case "AppendEntriesResponse":
    case "HeartbeatResponse":
      return `${way}AppendEntriesResponse`;
    case "RequestVote":
      return `${way}RequestVoteRequest`;
    case "RequestVoteResponse":
      return `${way}RequestVoteResponse`;
    default:
      return null;
  }
}

/** Null for messages that the specification does not know. */
export function tracedMessage(message: Message): TracedMessage | null {
  const { from, to, term } = message;
  const blank = { entries: 0, logTerm: 0, index: 0, commit: 0, vote: "0", reject: false, rejectHint: 0 };
  const of = (type: TracedMessage["type"], fields: Partial<TracedMessage>): TracedMessage => {
    return { type, term, from: String(from), to: String(to), ...blank, ...fields };
  };
  switch (message.type) {
    case "AppendEntries": {
      const { prevLogIndex: index, prevLogTerm: logTerm, entries, leaderCommit: commit } = message;
      return of("MsgApp", { entries: entries.length, logTerm, index, commit });
    }
    case "AppendEntriesResponse": {
      const { rejected: reject, index, hintIndex: rejectHint, hintTerm } = message;
      return of("MsgAppResp", { logTerm: Math.max(0, hintTerm), index, reject, rejectHint });
    }
    case "Heartbeat":
      return of("MsgHeartbeat", { commit: message.commitIndex });
    case "HeartbeatResponse":
      return of("MsgHeartbeatResp", {});
    case "InstallSnapshot":
      return of("MsgSnap", { entries: message.snapshot.index });
    case "RequestVote":
      return of("MsgVote", { logTerm: message.lastLogTerm, index: message.lastLogIndex });
    case "RequestVoteResponse":
      return of("MsgVoteResp", { reject: !message.granted });
    default:
      return null;
  }
}

export const idsOf = (ids: readonly NodeId[]): string[] => ids.map(String);

const actions: Readonly<Record<MemberChange["type"], "AddNewServer" | "AddLearner" | "RemoveServer" | null>> = {
  addVoter: "AddNewServer",
  addLearner: "AddLearner",
  removeNode: "RemoveServer",
  updateNode: null,
};

/** The steps that change who belongs to the group; a change that has none, such as one that leaves a joint configuration, gets no line. */
export function tracedChanges({ changes }: ConfigurationChange): NonNullable<TracedChange["changes"]> {
  return changes.flatMap(({ type, nodeId }) => {
    const action = actions[type];
    return action === null || nodeId === 0 ? [] : [{ nid: String(nodeId), action }];
  });
}
