import type { NodeId } from "@octopii/interfaces";
import type { ReadIndexRequest, ReadIndexResponse } from "../messages.js";
import type { Index } from "../types.js";
import type { ReadRefusal, ReadRequest } from "./input-output.js";
import type { Replica } from "./replica.js";
import { broadcastHeartbeat } from "./sending.js";

/** The `from` of reads that this very node asked for. */
const ourselves: NodeId = 0;

/** Wants a read index for one of our own reads: as leader by lease or by confirming a round, as follower by asking the leader. */
export function requestRead(raft: Replica, { id, lease }: ReadRequest): void {
  if (raft.reads.isFull) return refuse(raft, ourselves, id, "tooManyReads");
  if (raft.role === "leader") return readOnLeader(raft, ourselves, id, lease);
  if (raft.leaderId === 0) return refuse(raft, ourselves, id, "noLeader");
  raft.reads.addForwarded(id);
  const { group, id: from, leaderId: to, currentTerm: term } = raft;
  raft.messages.push({ type: "ReadIndex", group, from, to, term, requestId: id, lease });
}

export function handleReadIndex(raft: Replica, { from, requestId, lease }: ReadIndexRequest): void {
  if (raft.role !== "leader") return refuse(raft, from, requestId, "noLeader");
  if (raft.reads.isFull) return refuse(raft, from, requestId, "tooManyReads");
  readOnLeader(raft, from, requestId, lease);
}

function readOnLeader(raft: Replica, from: NodeId, id: number, lease: boolean): void {
  const { log } = raft;
  // Until an entry of our own term is committed we may not know all that earlier leaders have committed. Source: thesis §6.4.
  if (log.termAt(log.committedIndex) !== raft.currentTerm) raft.reads.addEarly(from, id);
  else if (raft.isOnlyVoter || (lease && holdsLease(raft))) answer(raft, from, id, log.committedIndex);
  else raft.reads.addConfirming(from, id, log.committedIndex);
}

/** Once somebody was told to campaign at once, voters may elect them in spite of us, now or later in this term. */
function holdsLease(raft: Replica): boolean {
  return raft.config.leaseReads && !raft.shieldGivenUp && raft.now !== null && raft.reads.lease.isValid(raft.now);
}

/** Our term's first commit arrived: reads that waited for it begin. */
export function releaseEarlyReads(raft: Replica): void {
  for (const { from, id } of raft.reads.takeEarly()) readOnLeader(raft, from, id, false);
}

/** At the end of a step: one heartbeat round confirms all reads that the step brought. */
export function confirmReadsOfStep(raft: Replica): void {
  if (!raft.reads.needsRound) return;
  beginRound(raft);
  broadcastHeartbeat(raft);
}

/** A leader's heartbeat is due. Where leases are in use it is a round as well, and extends the lease. */
export function beat(raft: Replica): void {
  if (raft.config.leaseReads || raft.reads.needsRound) beginRound(raft);
  broadcastHeartbeat(raft);
}

function beginRound(raft: Replica): void {
  const round = ++raft.reads.round;
  if (raft.config.leaseReads && raft.now !== null) raft.reads.lease.sent(round, raft.now);
  const own = raft.progressOf(raft.id);
  if (own !== undefined) own.confirmedReadRound = round;
}

/** Answers the reads whose round a quorum has confirmed. */
export function confirmReads(raft: Replica): void {
  const round = raft.quorumReadRound();
  if (raft.config.leaseReads) raft.reads.lease.confirmed(round);
  for (const read of raft.reads.takeConfirmed(round)) answer(raft, read.from, read.id, read.index);
}

export function handleReadIndexResponse(raft: Replica, message: ReadIndexResponse): void {
  if (!raft.reads.takeForwarded(message.requestId)) return raft.drop(message, "unexpected");
  const { requestId: id, index, refusal } = message;
  raft.readyReads.push(refusal === null ? { id, index, refusal } : { id, index: null, refusal });
}

function refuse(raft: Replica, from: NodeId, id: number, refusal: ReadRefusal): void {
  if (from === ourselves) raft.readyReads.push({ id, index: null, refusal });
  else respond(raft, from, id, 0, refusal);
}

function answer(raft: Replica, from: NodeId, id: number, index: Index): void {
  if (from === ourselves) raft.readyReads.push({ id, index, refusal: null });
  else respond(raft, from, id, index, null);
}

function respond(raft: Replica, to: NodeId, requestId: number, index: Index, refusal: ReadRefusal | null): void {
  const { group, id: from, currentTerm: term } = raft;
  raft.messages.push({ type: "ReadIndexResponse", group, from, to, term, requestId, index, refusal });
}
