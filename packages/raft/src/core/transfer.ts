import type { NodeId } from "@octopii/interfaces";
import type { Replica } from "./replica.js";
import { sendAllDue } from "./sending.js";

/** Begins to hand leadership to a voter; it ends with the target's election, or after an election timeout without it. Source: thesis §3.10. */
export function transferLeadership(raft: Replica, target: NodeId): void {
  if (raft.role !== "leader") return;
  const { currentTerm: term } = raft;
  const progress = raft.progressOf(target);
  const isVoter = raft.configuration.voters.includes(target) || raft.configuration.votersOutgoing.includes(target);
  if (target === raft.id || progress === undefined || !isVoter) {
    return raft.trace({ type: "transfer", phase: "refused", term, target });
  }
  if (raft.transferTarget === target) return raft.trace({ type: "transfer", phase: "repeated", term, target });
  if (raft.transferTarget !== 0) raft.trace({ type: "transfer", phase: "replaced", term, target: raft.transferTarget });
  raft.trace({ type: "transfer", phase: "started", term, target });
  // It has an election timeout from now.
  raft.transferElapsedTicks = 0;
  raft.transferTarget = target;
  if (progress.matchIndex === raft.log.lastIndex) sendTimeoutNow(raft, target);
  else raft.wantSend(progress, "always");
}

/** A transfer that took an election timeout, or whose target lost its vote, has failed; proposals flow again. */
export function abortTransfer(raft: Replica): void {
  if (raft.transferTarget === 0) return;
  raft.trace({ type: "transfer", phase: "aborted", term: raft.currentTerm, target: raft.transferTarget });
  raft.transferTarget = 0;
}

/** The target may have caught up with what was appended before the transfer began. */
export function continueTransfer(raft: Replica, target: NodeId): void {
  if (raft.transferTarget === target && raft.progressOf(target)?.matchIndex === raft.log.lastIndex) sendTimeoutNow(raft, target);
}

/** Tells a caught-up follower to campaign at once. It may come to that at any time from now, so nothing shields us any more. */
function sendTimeoutNow(raft: Replica, to: NodeId): void {
  // What else is due goes first, the commit index above all: in its own term it listens to us no more.
  sendAllDue(raft);
  raft.shieldGivenUp = true;
  raft.trace({ type: "transfer", phase: "timeoutNow", term: raft.currentTerm, target: to });
  raft.messages.push({ type: "TimeoutNow", group: raft.group, from: raft.id, to, term: raft.currentTerm });
}
