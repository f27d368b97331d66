import type { RaftNodeEvent } from "@octopii/raft";

/**
 * What happens in a node: what its replica of the Raft group does, and its own end. `stopped` comes once, when the node stops by
 * itself because storage, state machine or core failed; `error` says which.
 */
export type NodeEvent = RaftNodeEvent;
