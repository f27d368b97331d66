import type { ChangeRefusal, ProposalRefusal } from "../core/input-output.js";
import type { ReplicationState } from "../core/progress.js";
import type { MessageType } from "../messages.js";
import type { Ballot, CampaignObstacle, DropReason, ProgressCause, TraceEvent } from "../trace.js";
import type { EntryKind, Role } from "../types.js";

/** Every value that a label can have. The compiler refuses a list that lacks one, so no label grows without bound, and none is forgotten. */
export type Values<Value extends string> = Readonly<Record<Value, true>>;

export type TransferPhase = (TraceEvent & { type: "transfer" })["phase"];
export type SnapshotPhase = (TraceEvent & { type: "snapshot" })["phase"];
/** How far a change of the membership came. */
export type ChangeStep = "proposed" | "refused" | "void" | "applied" | "leftJoint";
/** The parts of a configuration. */
export type MemberPart = "voter" | "outgoingVoter" | "learner" | "nextLearner";

export const roles: Values<Role> = { follower: true, preCandidate: true, candidate: true, leader: true };
export const ballots: Values<Ballot> = { preVote: true, vote: true };
export const campaignKinds: Values<"timeout" | "transfer"> = { timeout: true, transfer: true };
export const verdicts: Values<"granted" | "refused"> = { granted: true, refused: true };
export const entryKinds: Values<EntryKind> = { command: true, noop: true, configuration: true, founding: true };
export const memberParts: Values<MemberPart> = { voter: true, outgoingVoter: true, learner: true, nextLearner: true };
export const replicationStates: Values<ReplicationState> = { probe: true, replicate: true, snapshot: true };
export const changeSteps: Values<ChangeStep> = { proposed: true, refused: true, void: true, applied: true, leftJoint: true };

export const obstacles: Values<CampaignObstacle> = {
  leader: true,
  notVoter: true,
  restoring: true,
  shielding: true,
  unappliedChange: true,
};

export const transferPhases: Values<TransferPhase> = {
  started: true,
  repeated: true,
  replaced: true,
  timeoutNow: true,
  aborted: true,
  refused: true,
};

export const snapshotPhases: Values<SnapshotPhase> = {
  available: true,
  restoring: true,
  restored: true,
  fastForwarded: true,
  ignored: true,
};

export const progressCauses: Values<ProgressCause> = {
  steppedBack: true,
  snapshotSent: true,
  snapshotPaused: true,
  snapshotCaughtUp: true,
  snapshotDelivered: true,
  snapshotFailed: true,
  unreachable: true,
};

export const proposalRefusals: Values<ProposalRefusal> = {
  notLeader: true,
  removed: true,
  transferring: true,
  tooManyUncommittedBytes: true,
  entryTooLarge: true,
};

export const changeRefusals: Values<ChangeRefusal> = {
  ...proposalRefusals,
  changePending: true,
  wouldLoseQuorum: true,
  alreadyJoint: true,
  notJoint: true,
  noVotersYet: true,
  noVotersLeft: true,
  jointRequired: true,
  tooManyMembers: true,
  tooManyChanges: true,
  contextTooLong: true,
  invalidNodeId: true,
  unknownChange: true,
  inconsistent: true,
  unknownVersion: true,
  malformed: true,
};

export const dropReasons: Values<DropReason> = {
  inboxFull: true,
  notForUs: true,
  unknownSender: true,
  malformed: true,
  staleTerm: true,
  leaderIsAlive: true,
  unexpected: true,
  contradictsCommitted: true,
  secondLeader: true,
};

/** `unknown` stands for what a peer made up. */
export const messageTypes: Values<MessageType | "unknown"> = {
  AppendEntries: true,
  AppendEntriesResponse: true,
  InstallSnapshot: true,
  RequestVote: true,
  RequestVoteResponse: true,
  PreVote: true,
  PreVoteResponse: true,
  Heartbeat: true,
  HeartbeatResponse: true,
  ReadIndex: true,
  ReadIndexResponse: true,
  TimeoutNow: true,
  ForwardProposals: true,
  ForwardProposalsResponse: true,
  unknown: true,
};
