import type { NodeId } from "@octopii/interfaces";

/** What a node does now. `stopped`: it has stopped on an error and takes no part any more. */
export type NodeRole = "follower" | "preCandidate" | "candidate" | "leader" | "stopped";

/** One member as a node sees it. */
export interface MemberStatus {
  readonly id: NodeId;
  readonly address: string;
  /** On the leader: up to where the member holds the log; null elsewhere. */
  readonly matchIndex: number | null;
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
  readonly members: readonly MemberStatus[];
}
