/** What the scenarios need of the Raft package: in one place, since they look behind its entry point. */
export type { Random } from "../../../../packages/interfaces/src/index.js";
export {
  type Configuration,
  type ConfigurationChange,
  decodeConfiguration,
  decodeConfigurationChange,
  emptyConfiguration,
  encodeConfigurationChange,
  type MemberChange,
  membersOf,
  type Transition,
} from "../../../../packages/raft/src/configuration/index.js";
export type {
  LogWrite,
  PeerProgress,
  RaftInput,
  RaftOutput,
  RaftStatus,
  ReadReady,
} from "../../../../packages/raft/src/core/input-output.js";
export { RaftCore, type RaftCoreStart } from "../../../../packages/raft/src/core/raft-core.js";
export type { Message } from "../../../../packages/raft/src/messages.js";
export type { RaftCoreOptions } from "../../../../packages/raft/src/options.js";
export type { TraceEvent } from "../../../../packages/raft/src/trace.js";
export type { Entry, HardState, Index, Role, SnapshotMetadata, Term, TermRun } from "../../../../packages/raft/src/types.js";
