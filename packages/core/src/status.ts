import type { NodeId } from "@octopii/interfaces";

/** What a node does now. `stopped`: it has stopped on an error and takes no part any more. */
export type NodeRole = "follower" | "preCandidate" | "candidate" | "leader" | "stopped";

/** A member's part. `leaving`: it votes until the change that removes it, or makes it a learner, has come to its end. */
export type Membership = "voter" | "learner" | "leaving";

/** One member as a node sees it. */
export interface MemberStatus {
  readonly id: NodeId;
  /** Null where the node has not learned it yet. */
  readonly address: string | null;
  readonly membership: Membership;
  /** On the leader: up to where the member holds the log; null elsewhere. */
  readonly matchIndex: number | null;
}

/** How far another member is, as its leader sees it. */
export interface PeerProgress {
  readonly id: NodeId;
  /** Up to here it holds the log, on stable storage. */
  readonly matchIndex: number;
  /** How many entries of the leader's log it does not hold yet. */
  readonly lag: number;
  /** `probe`: the leader looks for where the logs agree. `replicate`: entries flow. `snapshot`: it is being sent one. */
  readonly state: "probe" | "replicate" | "snapshot";
  /** It was heard of since the last check of the quorum. */
  readonly recentlyActive: boolean;
}

/** A node's own view of itself and its cluster. */
export interface NodeStatus {
  readonly id: NodeId;
  readonly cluster: string;
  readonly address: string;
  readonly role: NodeRole;
  readonly term: number;
  /** 0 when unknown. */
  readonly leaderId: NodeId;
  readonly lastIndex: number;
  readonly commitIndex: number;
  readonly appliedIndex: number;
  /** Up to here the log was compacted; 0 for not at all. */
  readonly compactedIndex: number;
  /** What the newest snapshot holds; 0 for none. */
  readonly snapshotIndex: number;
  /** In the configuration that is in effect on this node; empty for one that waits to be added. */
  readonly members: readonly MemberStatus[];
}
