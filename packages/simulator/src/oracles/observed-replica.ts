import type { NodeId } from "@octopii/interfaces";
import type { Index, Role, Term } from "@octopii/raft";
import type { TakenConfiguration } from "./configuration-history.js";
import type { ObservedLog } from "./observed-log.js";

/** One replica in one life of its process, as its own events tell it. */
export interface ObservedReplica {
  readonly id: NodeId;
  readonly log: ObservedLog;
  role: Role;
  currentTerm: Term;
  votedFor: NodeId;
  commitIndex: Index;
  appliedIndex: Index;
  /** The newest snapshot that it has; 0 for none. */
  snapshotIndex: Index;
  /** What is in effect, as far as is known. */
  taken: TakenConfiguration;
}
