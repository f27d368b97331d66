import type { NodeId } from "@octopii/interfaces";
import type { ProposalRefusal, ReadRefusal } from "./core/input-output.js";
import type { Entry, GroupId, Index, SnapshotMetadata, Term } from "./types.js";

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

/**
 * How far the sender knows the log to be committed; absent: not at all. Who holds that very entry, and has no leader to hear it from, may commit
 * as far: otherwise voters of which one knows that a change of the membership is committed, and the other does not, could refuse each other for
 * ever. Source: etcd-io/etcd#12359 and tikv/raft-rs#411.
 */
interface KnownCommit {
  readonly commitIndex?: Index;
  /** The term of the entry at `commitIndex`. */
  readonly commitTerm?: Term;
}

/** Asks for a vote. Source: Raft §5.2, §5.4.1. */
export interface RequestVote extends Envelope, KnownCommit {
  readonly type: "RequestVote";
  readonly lastLogIndex: Index;
  readonly lastLogTerm: Term;
  /** The old leader asked for this election: voters ignore that they heard from it lately. Source: thesis §4.2.3. */
  readonly leadershipTransfer: boolean;
}

export interface RequestVoteResponse extends Envelope, KnownCommit {
  readonly type: "RequestVoteResponse";
  readonly granted: boolean;
}

/** Asks whether a vote would be granted, without changing any term. Source: thesis §9.6. */
export interface PreVote extends Envelope, KnownCommit {
  readonly type: "PreVote";
  readonly lastLogIndex: Index;
  readonly lastLogTerm: Term;
}

export interface PreVoteResponse extends Envelope, KnownCommit {
  readonly type: "PreVoteResponse";
  readonly granted: boolean;
}

/**
 * Offers a snapshot in place of entries that the leader has compacted away. It is given to the core once the data has arrived in full and is
 * safe in storage. Source: Raft §7.
 */
export interface InstallSnapshot extends Envelope {
  readonly type: "InstallSnapshot";
  readonly snapshot: SnapshotMetadata;
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
  /** A leader that holds a lease may answer at once. */
  readonly lease: boolean;
}

export interface ReadIndexResponse extends Envelope {
  readonly type: "ReadIndexResponse";
  readonly requestId: number;
  /** Reads at or after this applied index are linearizable; 0 if refused. */
  readonly index: Index;
  readonly refusal: ReadRefusal | null;
}

/** Makes the receiver campaign at once. Source: thesis §3.10. */
export interface TimeoutNow extends Envelope {
  readonly type: "TimeoutNow";
}

/**
 * A follower passes its callers' commands on to the leader. Drivers exchange it; the core knows nothing of it. The follower learns the
 * results from its own state machine.
 */
export interface ForwardProposals extends Envelope {
  readonly type: "ForwardProposals";
  readonly requestId: number;
  readonly commands: readonly Uint8Array[];
}

/** Why a leader did not take all commands that were forwarded to it: the core's reasons, and a full queue. */
export type ForwardRefusal = ProposalRefusal | "busy";

/** All reasons there are. Position in the list plus one is the number on the wire: append only. */
export const forwardRefusals: readonly ForwardRefusal[] = [
  "notLeader",
  "removed",
  "transferring",
  "tooManyUncommittedBytes",
  "entryTooLarge",
  "busy",
];
/** Likewise. */
export const readRefusals: readonly ReadRefusal[] = ["noLeader", "tooManyReads"];

/** Where the forwarded commands stand in the log: the first `count` at `[firstIndex, firstIndex + count)`, in `entryTerm`; the rest were refused. */
export interface ForwardProposalsResponse extends Envelope {
  readonly type: "ForwardProposalsResponse";
  readonly requestId: number;
  readonly count: number;
  readonly firstIndex: Index;
  readonly entryTerm: Term;
  readonly refusal: ForwardRefusal | null;
}

/** Everything that replicas of a group say to each other. */
export type Message =
  | AppendEntries
  | AppendEntriesResponse
  | InstallSnapshot
  | RequestVote
  | RequestVoteResponse
  | PreVote
  | PreVoteResponse
  | Heartbeat
  | HeartbeatResponse
  | ReadIndexRequest
  | ReadIndexResponse
  | TimeoutNow
  | ForwardProposals
  | ForwardProposalsResponse;

export type MessageType = Message["type"];
