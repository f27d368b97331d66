import type { NodeId } from "@octopii/interfaces";
import type { Configuration, ConfigurationChange } from "./configuration/index.js";
import type { ChangeRefusal, PeerProgress, ProposalRefusal } from "./core/input-output.js";
import type { Message, PreVote, RequestVote } from "./messages.js";
import type { Entry, HardState, Index, Role, SnapshotMetadata, Term, TermRun } from "./types.js";

/** Why a message from a peer had no effect. */
export type DropReason =
  /** More messages wait than `inboxMessagesMax` allows. */
  | "inboxFull"
  | "notForUs"
  | "unknownSender"
  | "malformed"
  | "staleTerm"
  | "leaderIsAlive"
  | "unexpected"
  | "contradictsCommitted"
  | "secondLeader";

/** The two kinds of ballots. Source: Raft §5.2; pre-votes: thesis §9.6. */
export type Ballot = "preVote" | "vote";

/** What moved a follower's progress, where that is worth telling. */
export type ProgressCause =
  | "steppedBack"
  | "snapshotSent"
  | "snapshotPaused"
  | "snapshotCaughtUp"
  | "snapshotDelivered"
  | "snapshotFailed"
  | "unreachable";

/** Why a node did not campaign though it was time, or was told to. */
export type CampaignObstacle = "leader" | "notVoter" | "restoring" | "shielding" | "unappliedChange";

/** Elections. */
export type ElectionEvent =
  /** The node changed its part, or its term. `leaderId` is 0 while nobody is known to lead. */
  | { readonly type: "role"; readonly role: Role; readonly term: Term; readonly leaderId: NodeId }
  /** A follower heard of, or forgot (0), the leader of its term. */
  | { readonly type: "leader"; readonly term: Term; readonly leaderId: NodeId }
  | { readonly type: "campaign"; readonly kind: "timeout" | "transfer"; readonly ballot: Ballot; readonly term: Term }
  | { readonly type: "campaignRefused"; readonly obstacle: CampaignObstacle; readonly term: Term }
  | { readonly type: "voteRequested"; readonly ballot: Ballot; readonly term: Term; readonly voter: NodeId }
  /** This node judged a candidate. `votedFor` is what it was before. */
  | {
      readonly type: "vote";
      readonly ballot: Ballot;
      readonly granted: boolean;
      /** The term that the vote is for. */
      readonly term: Term;
      readonly candidate: NodeId;
      readonly lastLogIndex: Index;
      readonly lastLogTerm: Term;
      readonly votedFor: NodeId;
    }
  /** A candidate was not even judged: for so many ticks more, this node shields the leader that it heard from. */
  | { readonly type: "shielded"; readonly message: RequestVote | PreVote; readonly remainingTicks: number }
  /** A candidate counted an answer, its own included. */
  | {
      readonly type: "voteCounted";
      readonly ballot: Ballot;
      readonly term: Term;
      readonly voter: NodeId;
      readonly granted: boolean;
      readonly grantedCount: number;
      readonly rejectedCount: number;
    }
  /** A leader has not heard from a quorum for an election timeout and steps down. */
  | { readonly type: "quorumLost"; readonly term: Term }
  | {
      readonly type: "transfer";
      readonly phase: "started" | "repeated" | "replaced" | "timeoutNow" | "aborted" | "refused";
      readonly term: Term;
      readonly target: NodeId;
    };

/** The log, and its replication. */
export type ReplicationEvent =
  | { readonly type: "append"; readonly entries: readonly Entry[] }
  /** Another leader's entries replace ours from `index` on. `durableIndex` is as it was before. */
  | {
      readonly type: "truncate";
      readonly index: Index;
      readonly existingTerm: Term;
      readonly newTerm: Term;
      readonly durableIndex: Index;
      readonly lastIndex: Index;
    }
  | { readonly type: "commit"; readonly index: Index; readonly term: Term }
  /** A follower refused an append: its own term at `prevLogIndex` is `ownTerm`, -1 for none. */
  | {
      readonly type: "appendRefused";
      readonly leader: NodeId;
      readonly prevLogIndex: Index;
      readonly prevLogTerm: Term;
      readonly ownTerm: Term;
    }
  /** A leader learned that a follower had refused an append. */
  | {
      readonly type: "appendRejected";
      readonly peer: NodeId;
      readonly index: Index;
      readonly hintIndex: Index;
      readonly hintTerm: Term;
    }
  | { readonly type: "progress"; readonly cause: ProgressCause; readonly progress: PeerProgress }
  | { readonly type: "proposalsDropped"; readonly refusal: ProposalRefusal; readonly count: number; readonly term: Term };

/** Membership and snapshots. */
export type MembershipEvent =
  /** The configuration of the entry, or snapshot, at `index` is in effect from now on. */
  | { readonly type: "configuration"; readonly index: Index; readonly configuration: Configuration }
  /** A committed change that cannot be carried out; it has no effect on any replica. */
  | { readonly type: "changeVoid"; readonly index: Index; readonly reason: string }
  | { readonly type: "changeProposed"; readonly index: Index; readonly change: ConfigurationChange }
  | { readonly type: "changeRefused"; readonly change: ConfigurationChange; readonly refusal: ChangeRefusal; readonly reason: string }
  /** The leader leaves a joint configuration by itself. */
  | { readonly type: "autoLeave"; readonly index: Index; readonly configuration: Configuration }
  | {
      readonly type: "snapshot";
      /** `fastForwarded`: the log held the snapshot's last entry already. `ignored`: it was stale, or not for us. */
      readonly phase: "available" | "restoring" | "restored" | "fastForwarded" | "ignored";
      readonly snapshot: SnapshotMetadata;
    }
  | { readonly type: "compact"; readonly index: Index };

/** What a replica tells of itself, in the order in which it happens. Logs, metrics and test oracles are made from these. */
export type TraceEvent =
  | { readonly type: "restore"; readonly hardState: HardState; readonly lastIndex: Index; readonly terms: readonly TermRun[] }
  | ElectionEvent
  | ReplicationEvent
  | MembershipEvent
  /** A message told of a later term, which the replica enters. */
  | { readonly type: "laterTerm"; readonly message: Message; readonly ownTerm: Term }
  | { readonly type: "drop"; readonly message: Message; readonly reason: DropReason };

/** Called synchronously; must not throw, and must not call the replica. */
export type TraceSink = (event: TraceEvent) => void;
