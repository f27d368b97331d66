import type { Clock, Logger, NodeId, Random, Scheduler } from "@octopii/interfaces";
import type { Configuration } from "../configuration/index.js";
import type { LogStorage, PeerNetwork, SnapshotStorage, StateMachine } from "../ports.js";
import type { TraceEvent } from "../trace.js";
import type { Entry, GroupId, SnapshotMetadata } from "../types.js";

/** The world around a {@link RaftNode}. */
export interface RaftNodePorts<Result> {
  readonly storage: LogStorage;
  /** Where snapshots are kept. Without it the log is never compacted, and no follower can be sent a snapshot. */
  readonly snapshots?: SnapshotStorage;
  readonly network: PeerNetwork;
  readonly stateMachine: StateMachine<Result>;
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly logger?: Logger;
}

/** Who a {@link RaftNode} is. */
export interface RaftNodeIdentity {
  readonly id: NodeId;
  /** Default 0. */
  readonly group?: GroupId;
  /**
   * The members at the time the group was founded; all founders must be given the same. Empty for a node that is added later: it learns the
   * members from the log or from a snapshot. What storage holds goes before this.
   */
  readonly configuration: Configuration;
}

/** What a node tells its owner. Called synchronously; must not throw. */
export type RaftNodeEvent =
  | TraceEvent
  /** The state machine has applied these, in order. */
  | { readonly type: "applied"; readonly entries: readonly Entry[] }
  /** The state machine holds this snapshot in the place of what it held. */
  | { readonly type: "restored"; readonly snapshot: SnapshotMetadata }
  | { readonly type: "stopped"; readonly error: unknown };
