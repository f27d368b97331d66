import type { NodeId } from "@octopii/interfaces";
import {
  applyConfigurationChange,
  type Configuration,
  decodeConfiguration,
  decodeConfigurationChange,
  encodeConfigurationChange,
  leaveJointChange,
  type MembershipOutcome,
  restoreMembership,
} from "../configuration/index.js";
import { majorityVoteResult } from "../quorum/index.js";
import type { Entry, Index } from "../types.js";
import type { ChangeRefusal, ChangeRequest } from "./input-output.js";
import { confirmReads } from "./read-index.js";
import type { Replica } from "./replica.js";
import { advanceCommit, appendOwn } from "./replication.js";
import { broadcastAppend, broadcastEntries } from "./sending.js";
import { abortTransfer } from "./transfer.js";

/**
 * Whether a committed change is not in effect here yet. Such a node could win an election by a quorum that counts no more, so it waits.
 * What a restart brought counts as a change until it is applied: nobody has looked inside. Source: RULE 6 of the design.
 */
export function hasUnappliedChange(raft: Replica): boolean {
  const { appliedIndex, committedIndex } = raft.log;
  if (appliedIndex < Math.min(committedIndex, raft.unseenUpTo)) return true;
  return raft.changesAhead.some((index) => index > appliedIndex && index <= committedIndex);
}

/** Why a change cannot be carried out, or should not be; null for nothing. Changes nothing. */
export function judgeChange(raft: Replica, request: ChangeRequest): { refusal: ChangeRefusal; reason: string } | null {
  const outcome = outcomeOf(raft, raft.configuration, (membership, lastIndex) =>
    applyConfigurationChange(membership, lastIndex, request.change),
  );
  if (!outcome.accepted) return { refusal: outcome.refusal.code, reason: outcome.refusal.message };
  const { voters } = outcome.membership.configuration;
  if (!request.mustKeepQuorum || majorityVoteResult(voters, (id) => isActive(raft, id)) === "won") return null;
  const silent = voters.filter((id) => !isActive(raft, id));
  const reason = `it would leave voters ${voters.join(", ")}, of whom ${silent.join(", ")} have not been heard of lately, and so no quorum`;
  return { refusal: "wouldLoseQuorum", reason };
}

function isActive(raft: Replica, id: NodeId): boolean {
  return id === raft.id || (raft.progressOf(id)?.heardLately ?? false);
}

type Operation = (membership: Parameters<typeof applyConfigurationChange>[0], lastIndex: Index) => MembershipOutcome;

function outcomeOf(raft: Replica, configuration: Configuration, operation: Operation): MembershipOutcome {
  const { lastIndex } = raft.log;
  const restored = restoreMembership(configuration, lastIndex);
  return restored.accepted ? operation(restored.membership, lastIndex) : restored;
}

/** Takes the configurations of applied entries into effect, in order. */
export function applyConfigurations(raft: Replica, entries: readonly Entry[]): void {
  for (const entry of entries) {
    if (entry.kind === "founding") found(raft, entry);
    else change(raft, entry);
  }
}

/** Entries up to here are applied: changes among them are not ahead any more. */
export function forgetAppliedChanges(raft: Replica): void {
  const { appliedIndex } = raft.log;
  if (raft.changesAhead.length > 0) raft.changesAhead = raft.changesAhead.filter((index) => index > appliedIndex);
}

function found(raft: Replica, { index, data }: Entry): void {
  const decoded = decodeConfiguration(data);
  if (!decoded.accepted) return raft.trace({ type: "changeVoid", index, reason: decoded.refusal.message });
  const outcome = restoreMembership(decoded.value, raft.log.lastIndex);
  // The founders know of each other already: what the leader has learned of them stands.
  const added = outcome.accepted ? outcome.added.filter((id) => !raft.isMember(id)) : [];
  takeEffect(raft, index, outcome.accepted ? { ...outcome, added } : outcome);
}

function change(raft: Replica, { index, data }: Entry): void {
  const decoded = decodeConfigurationChange(data);
  if (!decoded.accepted) return raft.trace({ type: "changeVoid", index, reason: decoded.refusal.message });
  const outcome = outcomeOf(raft, raft.configuration, (membership, lastIndex) =>
    applyConfigurationChange(membership, lastIndex, decoded.value),
  );
  takeEffect(raft, index, outcome);
}

/** All replicas judge a committed change alike, so one that cannot be carried out has no effect on any. */
function takeEffect(raft: Replica, index: Index, outcome: MembershipOutcome): void {
  if (!outcome.accepted) return raft.trace({ type: "changeVoid", index, reason: outcome.refusal.message });
  switchTo(raft, outcome.membership.configuration, index, outcome.added);
}

/** Source of what a leader does with a new configuration: etcd's practice, thesis §4.2.2 for stepping down. */
export function switchTo(raft: Replica, configuration: Configuration, index: Index, added: readonly NodeId[]): void {
  raft.configure(configuration, index, added);
  if (raft.role !== "leader") return;
  const own = raft.progressOf(raft.id);
  if (own === undefined || own.isLearner) {
    if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.currentTerm, 0);
    return;
  }
  // A smaller quorum may have reached further; otherwise the new members need not wait for the next heartbeat.
  if (advanceCommit(raft, raft.log.lastIndex)) broadcastAppend(raft);
  else broadcastEntries(raft);
  // So may its reads: whoever it still needed an answer from may be gone.
  confirmReads(raft);
  const isTargetVoter = configuration.voters.includes(raft.transferTarget) || configuration.votersOutgoing.includes(raft.transferTarget);
  if (!isTargetVoter) abortTransfer(raft);
}

/** Leaves a joint configuration that wants to be left, as soon as it is applied. Tried again with every applied batch. */
export function leaveJointIfDue(raft: Replica): void {
  const { configuration, role, pendingChangeIndex, log } = raft;
  if (!configuration.autoLeave || role !== "leader" || log.appliedIndex < pendingChangeIndex) return;
  // The new leader will do it.
  if (raft.transferTarget !== 0 || raft.progressOf(raft.id) === undefined) return;
  appendOwn(raft, "configuration", [encodeConfigurationChange(leaveJointChange)]);
  raft.pendingChangeIndex = log.lastIndex;
  raft.trace({ type: "autoLeave", index: log.lastIndex, configuration });
  broadcastAppend(raft);
}
