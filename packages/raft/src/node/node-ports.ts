import type { Clock, Logger, Metrics, NodeId, Random, Scheduler } from "@octopii/interfaces";
import { systemClock, systemRandom, systemScheduler } from "@octopii/system";
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
  /** Default: the system's, like that of `scheduler` and `random`. Tests and simulations bring their own, all three together. */
  readonly clock?: Clock;
  readonly scheduler?: Scheduler;
  /** Election timeouts, and names for calls that cross the network. Nothing that must be secret. */
  readonly random?: Random;
  /** Default: silence. */
  readonly logger?: Logger;
  /** Where the node keeps its figures, labelled with `node` and `group`. Default: nowhere. */
  readonly metrics?: Metrics;
}

/** {@link RaftNodePorts} with the system's in place of what was left out. */
export type CompletePorts<Result> = RaftNodePorts<Result> & Required<Pick<RaftNodePorts<Result>, "clock" | "scheduler" | "random">>;

export function completePorts<Result>(ports: RaftNodePorts<Result>): CompletePorts<Result> {
  const { clock = systemClock, scheduler = systemScheduler, random = systemRandom } = ports;
  return { ...ports, clock, scheduler, random };
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
  /** A peer's network handed over what is no message at all. */
  | { readonly type: "noMessage"; readonly from: NodeId }
  /** The state machine has applied these, in order. */
  | { readonly type: "applied"; readonly entries: readonly Entry[] }
  /** The state machine holds this snapshot in the place of what it held. */
  | { readonly type: "restored"; readonly snapshot: SnapshotMetadata }
  | { readonly type: "stopped"; readonly error: unknown };
