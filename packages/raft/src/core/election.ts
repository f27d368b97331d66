import type { NodeId } from "@octopii/interfaces";
import type { PreVote, PreVoteResponse, RequestVote, RequestVoteResponse } from "../messages.js";
import type { Ballot, CampaignObstacle } from "../trace.js";
import type { Index, Term } from "../types.js";
import { hasUnappliedChange } from "./membership.js";
import type { Replica } from "./replica.js";
import { announceLeadership } from "./replication.js";

/** How a campaign began: `timeout` asks for pre-votes if so configured, `transfer` is the old leader's wish. */
export type CampaignKind = "timeout" | "transfer";

/** Starts a campaign, unless this node may not lead. Source: Raft §5.2, thesis §9.6 for the pre-vote. */
export function campaign(raft: Replica, kind: CampaignKind): void {
  const obstacle = obstacleTo(raft, kind);
  if (obstacle !== null) return raft.trace({ type: "campaignRefused", obstacle, term: raft.currentTerm });
  const ballot: Ballot = kind === "timeout" && raft.config.preVote ? "preVote" : "vote";
  raft.trace({ type: "campaign", kind, ballot, term: raft.currentTerm });
  if (ballot === "preVote") {
    raft.resetElectionTimer();
    askForPreVotes(raft);
  } else {
    askForVotes(raft, kind === "transfer");
  }
}

/** What keeps this node from campaigning; null for nothing. */
function obstacleTo(raft: Replica, kind: CampaignKind): CampaignObstacle | null {
  if (raft.role === "leader") return "leader";
  if (!raft.isVoter) return "notVoter";
  if (raft.log.restoringIndex !== 0) return "restoring";
  // Our own vote must not depose a leader whose lease rests on our shield, whoever told us to campaign; only that leader itself may.
  if (kind !== "transfer" && raft.config.leaseReads && isShielding(raft)) return "shielding";
  return hasUnappliedChange(raft) ? "unappliedChange" : null;
}

/** Whether the election timer drives this node at all. */
export function mayCampaign(raft: Replica): boolean {
  return raft.isVoter && raft.log.restoringIndex === 0;
}

function askForPreVotes(raft: Replica): void {
  raft.becomePreCandidate();
  const term = raft.currentTerm + 1;
  raft.promises.push({ type: "PreVoteResponse", group: raft.group, from: raft.id, to: raft.id, term, granted: true });
  forEachOtherVoter(raft, (to) => {
    raft.trace({ type: "voteRequested", ballot: "preVote", term: raft.currentTerm, voter: to });
    const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = raft.log;
    raft.messages.push({ type: "PreVote", group: raft.group, from: raft.id, to, term, lastLogIndex, lastLogTerm, ...knownCommit(raft) });
  });
}

function askForVotes(raft: Replica, leadershipTransfer: boolean): void {
  raft.becomeCandidate();
  const term = raft.currentTerm;
  // Both our vote and our request are promises. The request says how far our log reaches and that this term is ours; a crash that took
  // either back could have us elected on the strength of what we no longer hold.
  raft.promises.push({ type: "RequestVoteResponse", group: raft.group, from: raft.id, to: raft.id, term, granted: true });
  forEachOtherVoter(raft, (to) => {
    raft.trace({ type: "voteRequested", ballot: "vote", term, voter: to });
    const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = raft.log;
    const { group, id: from } = raft;
    const commit = knownCommit(raft);
    raft.promises.push({ type: "RequestVote", group, from, to, term, lastLogIndex, lastLogTerm, leadershipTransfer, ...commit });
  });
}

/** Visits the voters of both halves, ascending. */
function forEachOtherVoter(raft: Replica, visit: (id: NodeId) => void): void {
  const { voters, votersOutgoing } = raft.configuration;
  const all = votersOutgoing.length === 0 ? voters : [...new Set([...voters, ...votersOutgoing])].sort((a, b) => a - b);
  for (const id of all) if (id !== raft.id) visit(id);
}

/**
 * A voter that heard from a leader lately refuses to depose it. So does one that just started where leases are in use: it may have heard from
 * one before. Source: Raft §6, last paragraph; thesis §4.2.3.
 */
export function isShieldingLeader(raft: Replica, message: RequestVote | PreVote): boolean {
  if (message.type === "RequestVote" && message.leadershipTransfer) return false;
  return isShielding(raft);
}

function isShielding(raft: Replica): boolean {
  return shieldTicks(raft) > 0;
}

/** For how many ticks more this node shields a leader; not above 0 if it does not. */
export function shieldTicks(raft: Replica): number {
  const shielded = raft.config.checkQuorum && raft.leaderId !== 0 ? raft.config.electionTicks - raft.electionElapsedTicks : 0;
  return Math.max(raft.olderShieldTicks, shielded);
}

/** A follower is about to leave its term. A lease may rest on its shield all the same, and the lease knows nothing of the later term. */
export function keepShield(raft: Replica): void {
  if (raft.config.leaseReads && raft.role === "follower") raft.olderShieldTicks = shieldTicks(raft);
}

/** What we tell with every ballot: see the messages. */
function knownCommit({ log }: Replica): { commitIndex: Index; commitTerm: Term } {
  return { commitIndex: log.committedIndex, commitTerm: log.termAt(log.committedIndex) };
}

/** Someone else's ballot tells what is committed, and the logs match there: so it is here. A change among it ends our campaign. */
function learnCommit(
  raft: Replica,
  { commitIndex = 0, commitTerm = 0 }: RequestVote | PreVote | RequestVoteResponse | PreVoteResponse,
): void {
  if (raft.leaderId !== 0 || commitIndex <= raft.log.committedIndex || !raft.log.matches(commitIndex, commitTerm)) return;
  raft.commitTo(commitIndex);
  if (raft.role !== "follower" && hasUnappliedChange(raft)) raft.becomeFollower(raft.currentTerm, 0);
}

export function handleRequestVote(raft: Replica, message: RequestVote): void {
  learnCommit(raft, message);
  const free = raft.votedFor === message.from || (raft.votedFor === 0 && raft.leaderId === 0);
  const shields = raft.olderShieldTicks > 0 && !message.leadershipTransfer;
  const granted = free && !shields && raft.log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  traceVote(raft, "vote", message, granted);
  if (granted) {
    raft.electionElapsedTicks = 0;
    raft.votedFor = message.from;
  }
  const { group, id: from, currentTerm: term } = raft;
  raft.promises.push({ type: "RequestVoteResponse", group, from, to: message.from, term, granted, ...knownCommit(raft) });
}

export function handlePreVote(raft: Replica, message: PreVote): void {
  learnCommit(raft, message);
  const free = message.term > raft.currentTerm || raft.votedFor === message.from || (raft.votedFor === 0 && raft.leaderId === 0);
  const granted = free && raft.olderShieldTicks === 0 && raft.log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  answerPreVote(raft, message, granted);
}

/** A refusal carries our own term, so that a candidate from the past catches up; a grant echoes the asked-for one. */
export function answerPreVote(raft: Replica, message: PreVote, granted: boolean): void {
  traceVote(raft, "preVote", message, granted);
  const term: Term = granted ? message.term : raft.currentTerm;
  const { group, id: from } = raft;
  raft.promises.push({ type: "PreVoteResponse", group, from, to: message.from, term, granted, ...knownCommit(raft) });
}

function traceVote(raft: Replica, ballot: Ballot, message: RequestVote | PreVote, granted: boolean): void {
  const { from: candidate, lastLogIndex, lastLogTerm, term } = message;
  raft.trace({ type: "vote", ballot, granted, term, candidate, lastLogIndex, lastLogTerm, votedFor: raft.votedFor });
}

export function handleVoteResponse(raft: Replica, message: RequestVoteResponse | PreVoteResponse): void {
  learnCommit(raft, message);
  const expected = raft.role === "preCandidate" ? "PreVoteResponse" : raft.role === "candidate" ? "RequestVoteResponse" : null;
  if (message.type !== expected) return raft.drop(message, "unexpected");
  // A grant echoes the term that was asked about. One for an earlier question says nothing of this one: nobody else may have been asked yet.
  if (message.type === "PreVoteResponse" && message.granted && message.term !== raft.currentTerm + 1)
    return raft.drop(message, "staleTerm");
  // The first answer of a voter stands; repetitions change nothing.
  if (!raft.votes.has(message.from)) raft.votes.set(message.from, message.granted);
  traceCount(raft, message);
  const result = raft.quorumVote((id) => raft.votes.get(id));
  if (result === "lost") return raft.becomeFollower(raft.currentTerm, 0);
  if (result === "pending") return;
  if (raft.role === "preCandidate") return askForVotes(raft, false);
  raft.becomeLeader();
  announceLeadership(raft);
}

/** Counts the votes of all who were asked, whether they are voters any more or not. */
function traceCount(raft: Replica, message: RequestVoteResponse | PreVoteResponse): void {
  let grantedCount = 0;
  for (const granted of raft.votes.values()) if (granted) grantedCount++;
  raft.trace({
    type: "voteCounted",
    ballot: message.type === "PreVoteResponse" ? "preVote" : "vote",
    term: raft.currentTerm,
    voter: message.from,
    granted: message.granted,
    grantedCount,
    rejectedCount: raft.votes.size - grantedCount,
  });
}

/** As a follower, forgets who leads. Refused where leases are in use: our shield is what a lease rests on. */
export function forgetLeader(raft: Replica): void {
  if (raft.role !== "follower" || raft.leaderId === 0 || raft.config.leaseReads) return;
  raft.reads.refuseAll(raft.readyReads);
  raft.follow(0);
}
