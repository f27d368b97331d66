/**
 * Raft consensus for Node.js: a pure core that turns inputs into outputs, and a driver that runs it over ports.
 *
 * @packageDocumentation
 */

export { InvariantError } from "./assert.js";
// For those who write a port, or drive the core themselves.
export * from "./configuration/index.js";
export type {
  Applied,
  ApplyRange,
  ChangeRefusal,
  ChangeRequest,
  ChangeResult,
  FetchedEntries,
  FetchRequest,
  LogWrite,
  PeerProgress,
  ProposalRefusal,
  ProposalResult,
  RaftInput,
  RaftOutput,
  RaftStatus,
  ReadReady,
  ReadRequest,
  SnapshotReport,
} from "./core/input-output.js";
export { RaftCore, type RaftCoreStart } from "./core/raft-core.js";
// For those who run a group: the driver, its ports, and what it says.
export { isRaftError, RaftError, type RaftErrorCode, type RaftErrorOptions } from "./errors.js";
export type { LogStart } from "./log/raft-log.js";
export type * from "./messages.js";
export { type RaftNodeConfig, type RaftNodeOptions, raftNodeDefaults, resolveRaftNodeOptions } from "./node/node-options.js";
export type { RaftNodeEvent, RaftNodeIdentity, RaftNodePorts } from "./node/node-ports.js";
export { type ChangeOptions, openRaftNode, type RaftNode, type ReadOptions } from "./node/raft-node.js";
export type { WaitOptions } from "./node/waiter.js";
export { createRaftMetrics, type RaftMetrics } from "./observability/metrics.js";
export { createStateTrace, type StateTrace } from "./observability/state-trace.js";
export type { StateTraceEvent, StateTraceEventName, TracedChange, TracedMessage } from "./observability/state-trace-event.js";
export { type RaftCoreConfig, type RaftCoreOptions, raftCoreDefaults, resolveRaftCoreOptions } from "./options.js";
export type { LogStorage, PeerNetwork, PeerReceiver, SnapshotStorage, SnapshotWriter, StateMachine, StoredLog } from "./ports.js";
export { jointCommittedIndex, jointVoteResult, majorityCommittedIndex, majorityVoteResult, type VoteResult } from "./quorum/index.js";
export type * from "./trace.js";
export type { Entry, EntryKind, GroupId, HardState, Index, Role, SnapshotMetadata, Term, TermRun } from "./types.js";
export { decodeMessages, encodeMessages, messageFormatVersion } from "./wire/message-codec.js";
