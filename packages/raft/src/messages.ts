import type { NodeId } from "@octopii/interfaces";
import type { Entry, GroupId, Index, Term } from "./types.js";

/** What every message carries. `term` is the sender's; for `PreVote` the one it would campaign in. */
interface Envelope {
  readonly group: GroupId;
  readonly from: NodeId;
  readonly to: NodeId;
  readonly term: Term;
}

/** Replicates entries, or tells a commit index when `entries` is empty. Source: Raft §5.3. */
export interface AppendEntries extends Envelope {
  readonly type: "AppendEntries";
  readonly prevLogIndex: Index;
  readonly prevLogTerm: Term;
  readonly entries: readonly Entry[];
  readonly leaderCommit: Index;
}

/** Answers {@link AppendEntries}. Sent only when what it acknowledges is on stable storage. */
export interface AppendEntriesResponse extends Envelope {
  readonly type: "AppendEntriesResponse";
  readonly rejected: boolean;
  /** Accepted: the last index known to match the leader's log. Rejected: the `prevLogIndex` that did not match. */
  readonly index: Index;
  /** Rejected: the largest index at which the logs might match, and our term there, so that the leader skips whole terms. */
  readonly hintIndex: Index;
  readonly hintTerm: Term;
}

/** Asks for a vote. Source: Raft §5.2, §5.4.1. */
export interface RequestVote extends Envelope {
  readonly type: "RequestVote";
  readonly lastLogIndex: Index;
  readonly lastLogTerm: Term;
  /** The old leader asked for this election: voters ignore that they heard from it lately. Source: thesis §4.2.3. */
  readonly leadershipTransfer: boolean;
}

export interface RequestVoteResponse extends Envelope {
  readonly type: "RequestVoteResponse";
  readonly granted: boolean;
}

/** Asks whether a vote would be granted, without changing any term. Source: thesis §9.6. */
export interface PreVote extends Envelope {
  readonly type: "PreVote";
  readonly lastLogIndex: Index;
  readonly lastLogTerm: Term;
}

export interface PreVoteResponse extends Envelope {
  readonly type: "PreVoteResponse";
  readonly granted: boolean;
}

/**
 * Keeps followers quiet, apart from data, so that a long append cannot cause an election.
 * `commitIndex` never exceeds what the follower is known to hold.
 */
export interface Heartbeat extends Envelope {
  readonly type: "Heartbeat";
  readonly commitIndex: Index;
  /** The leader's read round; the echo confirms that it was still leader when the round began. Source: thesis §6.4. */
  readonly readRound: number;
}

export interface HeartbeatResponse extends Envelope {
  readonly type: "HeartbeatResponse";
  readonly readRound: number;
}

/** A follower asks the leader for a read index. `requestId` is the follower's own. Source: thesis §6.4. */
export interface ReadIndexRequest extends Envelope {
  readonly type: "ReadIndex";
  readonly requestId: number;
}

export interface ReadIndexResponse extends Envelope {
  readonly type: "ReadIndexResponse";
  readonly requestId: number;
  /** Reads at or after this applied index are linearizable; 0 when the node asked is not the leader. */
  readonly index: Index;
}

/** Makes the receiver campaign at once. Source: thesis §3.10. */
export interface TimeoutNow extends Envelope {
  readonly type: "TimeoutNow";
}

/** Everything that replicas of a group say to each other. */
export type Message =
  | AppendEntries
  | AppendEntriesResponse
  | RequestVote
  | RequestVoteResponse
  | PreVote
  | PreVoteResponse
  | Heartbeat
  | HeartbeatResponse
  | ReadIndexRequest
  | ReadIndexResponse
  | TimeoutNow;

export type MessageType = Message["type"];
