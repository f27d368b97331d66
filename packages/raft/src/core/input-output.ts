import type { NodeId } from "@octopii/interfaces";
import type { Message } from "../messages.js";
import type { Entry, HardState, Index, Role, Term } from "../types.js";

/** Entries that the driver fetched from storage because the core's cache no longer held them. */
export interface FetchedEntries {
  /** The follower that they are for. */
  readonly peer: NodeId;
  /** The request's `from`. */
  readonly from: Index;
  /** Contiguous from `from`; empty if storage no longer has them, which makes the core ask again later. */
  readonly entries: readonly Entry[];
}

/**
 * Everything that happened to a replica since the last step. The core takes the parts in the order of the fields, so a turn's
 * outcome does not depend on the order in which its events came in.
 */
export interface RaftInput {
  /** The highest `LogWrite.sequence` that is now on stable storage, all earlier ones included. */
  readonly durableSequence?: number;
  /** Everything up to this index was applied. */
  readonly appliedIndex?: Index;
  readonly fetched?: readonly FetchedEntries[];
  readonly messages?: readonly Message[];
  /** Ticks of the clock that have passed. */
  readonly ticks?: number;
  /** Peers that the network failed to reach. */
  readonly unreachable?: readonly NodeId[];
  /** Campaign now, whatever the timers say. */
  readonly campaign?: boolean;
  /** Hand leadership to this voter. */
  readonly transferTo?: NodeId;
  /** Commands to append, in order. Ownership passes to the log. */
  readonly proposals?: readonly Uint8Array[];
  /** Reads that nobody waits for any more. */
  readonly abandonedReads?: readonly number[];
  /** Ids of reads that want a read index: the caller's own, and never used before by any process of this node. */
  readonly reads?: readonly number[];
}

/**
 * One write to stable storage. If `entries` begin at or before the last index written earlier, they replace everything from there.
 * Writes are made durable in order of `sequence`; several may be in flight.
 */
export interface LogWrite {
  readonly sequence: number;
  /** Present when it changed. */
  readonly hardState: HardState | null;
  readonly entries: readonly Entry[];
  /** Nothing needs a flush: the hard state holds just a new commit index, or messages only wait for earlier writes. */
  readonly lazy: boolean;
}

/** Why a proposal was not taken. */
export type ProposalRefusal = "notLeader" | "transferring" | "tooManyUncommittedBytes" | "entryTooLarge";

/** What became of the input's proposals: the first `count` are at `[firstIndex, firstIndex + count)`, the rest were refused. */
export interface ProposalResult {
  readonly count: number;
  readonly firstIndex: Index;
  readonly term: Term;
  readonly refusal: ProposalRefusal | null;
}

/** Committed entries for the state machine, in `[from, to]`. */
export interface ApplyRange {
  readonly from: Index;
  readonly to: Index;
  /** The entries, or null when they are only on disk: the driver reads them. */
  readonly entries: readonly Entry[] | null;
}

/** A wish to read `[from, to]` from storage for a follower that is behind the cache. */
export interface FetchRequest {
  readonly peer: NodeId;
  readonly from: Index;
  readonly to: Index;
  readonly maxBytes: number;
}

/** A read may be served once `index` is applied; index null: refused, there is no leader to confirm it. */
export interface ReadReady {
  readonly id: number;
  readonly index: Index | null;
}

/**
 * All that a step wants done. Messages that depend on a write are not in here: they appear in a later output, when
 * `durableSequence` has reported that write. So a driver cannot promise what is not durable.
 */
export interface RaftOutput {
  readonly write: LogWrite | null;
  readonly messages: readonly Message[];
  readonly apply: ApplyRange | null;
  readonly fetch: readonly FetchRequest[];
  readonly proposed: ProposalResult | null;
  readonly reads: readonly ReadReady[];
}

/** A replica's own view of its group. Cheap to make; nothing in it changes later. */
export interface RaftStatus {
  readonly id: NodeId;
  readonly role: Role;
  readonly currentTerm: Term;
  readonly votedFor: NodeId;
  /** 0 when unknown. */
  readonly leaderId: NodeId;
  readonly lastIndex: Index;
  readonly durableIndex: Index;
  readonly commitIndex: Index;
  readonly appliedIndex: Index;
  readonly voters: readonly NodeId[];
  readonly learners: readonly NodeId[];
  /** On the leader: what it knows of each member, itself included; otherwise empty. */
  readonly progress: readonly PeerProgress[];
}

export interface PeerProgress {
  readonly id: NodeId;
  readonly matchIndex: Index;
  readonly nextIndex: Index;
  readonly state: "probe" | "replicate";
}
