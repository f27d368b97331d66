import type { NodeId } from "@octopii/interfaces";
import type { Configuration, ConfigurationChange, MembershipRefusalCode } from "../configuration/index.js";
import type { Message } from "../messages.js";
import type { Entry, HardState, Index, Role, SnapshotMetadata, Term } from "../types.js";
import type { ReplicationState } from "./progress.js";

/** Entries that the driver fetched from storage because the core's cache no longer held them. */
export interface FetchedEntries {
  /** The follower that they are for. */
  readonly peer: NodeId;
  /** The request's `from`. */
  readonly from: Index;
  /** Contiguous from `from`; empty if storage no longer has them, which makes the core ask again later. */
  readonly entries: readonly Entry[];
}

/** What the state machine has done with the last {@link ApplyRange}. */
export interface Applied {
  /** Everything up to here was applied. */
  readonly index: Index;
  /** The entries of kind `configuration` and `founding` among what was applied, in order; they take effect now (RULE 6 of the design). */
  readonly configurations: readonly Entry[];
}

/** A wish to change the membership. */
export interface ChangeRequest {
  readonly change: ConfigurationChange;
  /**
   * Refuse the change if a quorum of the voters that it leaves has not been heard of lately: the group could not commit anything then, not
   * even the change back.
   */
  readonly mustKeepQuorum: boolean;
}

/** What became of the snapshot that a follower was sent. */
export interface SnapshotReport {
  readonly peer: NodeId;
  /** False: it could not be delivered, or the follower could not take it; the leader tries again. */
  readonly delivered: boolean;
}

/** A read that wants an index from which it is linearizable. */
export interface ReadRequest {
  /** The caller's own, and never used before by any process of this node. */
  readonly id: number;
  /** A valid lease will do; without one it is confirmed by a quorum all the same. */
  readonly lease: boolean;
}

/**
 * Everything that happened to a replica since the last step. The core takes the parts in the order of the fields, so a turn's
 * outcome does not depend on the order in which its events came in. A field that is `undefined` is one that is left out.
 */
export interface RaftInput {
  /**
   * Time on this node's monotonic clock, in ticks, fractions included. Only leases depend on it: in a step without it, nothing is read by
   * lease, and no lease begins.
   */
  readonly now?: number | undefined;
  /** The highest `LogWrite.sequence` that is now on stable storage, all earlier ones included. */
  readonly durableSequence?: number | undefined;
  readonly applied?: Applied | undefined;
  /** The state machine holds the snapshot of this index, which a {@link LogWrite} carried. What was applied comes from before it. */
  readonly restoredIndex?: Index | undefined;
  /** A snapshot of our own is safe in storage, and followers may be sent it. Its index was applied. */
  readonly snapshot?: SnapshotMetadata | undefined;
  /** Forget entries up to here; storage may drop them after this step. At or below the index of `snapshot`. */
  readonly compactTo?: Index | undefined;
  readonly fetched?: readonly FetchedEntries[] | undefined;
  readonly messages?: readonly Message[] | undefined;
  /** Ticks of the clock that have passed. */
  readonly ticks?: number | undefined;
  /** Peers that the network failed to reach. */
  readonly unreachable?: readonly NodeId[] | undefined;
  readonly snapshotReports?: readonly SnapshotReport[] | undefined;
  /** Campaign now, whatever the timers say. */
  readonly campaign?: boolean | undefined;
  /** As a follower, forget who leads: the next election need not wait until the leader's shield has expired. */
  readonly forgetLeader?: boolean | undefined;
  /** Hand leadership to this voter. */
  readonly transferTo?: NodeId | undefined;
  /** Commands to append, in order. Ownership passes to the log. */
  readonly proposals?: readonly Uint8Array[] | undefined;
  readonly change?: ChangeRequest | undefined;
  /** Reads that nobody waits for any more. */
  readonly abandonedReads?: readonly number[] | undefined;
  readonly reads?: readonly ReadRequest[] | undefined;
}

/**
 * One write to stable storage. If `entries` begin at or before the last index written earlier, they replace everything from there.
 * Writes are made durable in order of `sequence`; several may be in flight.
 */
export interface LogWrite {
  readonly sequence: number;
  /** Present when it changed. */
  readonly hardState: HardState | null;
  /** Takes the place of the whole log; `entries` follow it. Its data is in storage already. */
  readonly snapshot: SnapshotMetadata | null;
  readonly entries: readonly Entry[];
  /** Nothing needs a flush: the hard state holds just a new commit index, or messages only wait for earlier writes. */
  readonly lazy: boolean;
  /**
   * Something follows as soon as this is durable, so the report is worth a step of its own. Otherwise it may go with the next input, whenever
   * there is one.
   */
  readonly awaited: boolean;
  /**
   * The messages that depend on this write, for whoever wants to watch. The core sends them itself, in the output of the step that reports
   * the write durable; a driver has nothing to do with them.
   */
  readonly releases: readonly Message[];
}

/** Why a proposal was not taken. `removed`: this leader is no member any more. */
export type ProposalRefusal = "notLeader" | "removed" | "transferring" | "tooManyUncommittedBytes" | "entryTooLarge";

/** What became of the input's proposals: the first `count` are at `[firstIndex, firstIndex + count)`, the rest were refused. */
export interface ProposalResult {
  readonly count: number;
  readonly firstIndex: Index;
  readonly term: Term;
  readonly refusal: ProposalRefusal | null;
}

/** Why a change was not proposed. `changePending`: an earlier one is not applied yet. `wouldLoseQuorum`: see {@link ChangeRequest}. */
export type ChangeRefusal = ProposalRefusal | MembershipRefusalCode | "changePending" | "wouldLoseQuorum";

/** What became of the input's change. Accepted means appended; it takes effect when it is applied, unless another leader's entry replaces it. */
export type ChangeResult =
  | { readonly accepted: true; readonly index: Index; readonly term: Term }
  /** `reason` is a sentence without a full stop. */
  | { readonly accepted: false; readonly refusal: ChangeRefusal; readonly reason: string };

/** Committed entries for the state machine, in `[from, to]`. */
export interface ApplyRange {
  readonly from: Index;
  readonly to: Index;
  /** The entries, or null when they are only on disk: the driver reads them. */
  readonly entries: readonly Entry[] | null;
  /** The next range comes as soon as this one was reported. */
  readonly hasNext: boolean;
}

/** A wish to read `[from, to]` from storage for a follower that is behind the cache. */
export interface FetchRequest {
  readonly peer: NodeId;
  readonly from: Index;
  readonly to: Index;
  readonly maxBytes: number;
}

/** Why a read was not taken. `noLeader`: nobody who could confirm it is known. `tooManyReads`: `pendingReadsMax` of them wait already. */
export type ReadRefusal = "noLeader" | "tooManyReads";

/** A read may be served once `index` is applied, unless it was refused. */
export type ReadReady =
  | { readonly id: number; readonly index: Index; readonly refusal: null }
  | { readonly id: number; readonly index: null; readonly refusal: ReadRefusal };

/**
 * All that a step wants done. Messages that depend on a write are not in here: they appear in a later output, when
 * `durableSequence` has reported that write. So a driver cannot promise what is not durable.
 */
export interface RaftOutput {
  readonly write: LogWrite | null;
  /** An `InstallSnapshot` among them goes with the data of its snapshot; how it went is told by `snapshotReports`. */
  readonly messages: readonly Message[];
  readonly apply: ApplyRange | null;
  readonly fetch: readonly FetchRequest[];
  readonly proposed: ProposalResult | null;
  readonly changed: ChangeResult | null;
  readonly reads: readonly ReadReady[];
  /** A new commit index waits for the next step, to go with its entries: let there be one soon, in the next turn of the event loop. */
  readonly commitLingers: boolean;
}

/** A replica's own view of its group. Cheap to make; nothing in it changes later. */
export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly currentTerm: Term;
  readonly votedFor: NodeId;
  /** 0 when unknown. */
  readonly leaderId: NodeId;
  /** The index before the first entry that the log still has. */
  readonly compactedIndex: Index;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  /** The newest snapshot that followers can be sent; 0 for none. */
  readonly snapshotIndex: Index;
  /** What is in effect here. */
  readonly configuration: Configuration;
  /** Whom a leader is handing over to; 0 for nobody. */
  readonly transferTarget: NodeId;
  /** On the leader: what it knows of each member, itself included; otherwise empty. */
  readonly progress: readonly PeerProgress[];
}

/** What a leader knows of one member. */
export interface PeerProgress {
  readonly id: NodeId;
  readonly isLearner: boolean;
  readonly matchIndex: Index;
  readonly nextIndex: Index;
  readonly state: ReplicationState;
  /** It answered since the last check of the quorum. */
  readonly recentlyActive: boolean;
  /** Nothing is sent until it answers, or its snapshot has arrived or failed. */
  readonly paused: boolean;
  /** The snapshot that is on its way to it; 0 for none. */
  readonly pendingSnapshot: Index;
  /** Appends with entries that it has not answered. */
  readonly inflight: number;
  readonly isInflightFull: boolean;
}
