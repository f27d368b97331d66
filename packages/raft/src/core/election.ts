import type { NodeId } from "@octopii/interfaces";
import type { Message, PreVote, PreVoteResponse, RequestVote, RequestVoteResponse } from "../messages.js";
import type { Term } from "../types.js";
import type { Replica } from "./replica.js";
import { announceLeadership } from "./replication.js";

/** How a campaign began: `timeout` asks for pre-votes if so configured, `transfer` is the old leader's wish. */
export type CampaignKind = "timeout" | "transfer";

/** Starts a campaign, unless this node may not lead. Source: Raft §5.2, thesis §9.6 for the pre-vote. */
export function campaign(raft: Replica, kind: CampaignKind): void {
  if (raft.role === "leader" || !raft.isVoter) return;
  raft.resetElectionTimer();
  if (kind === "timeout" && raft.config.preVote) askForPreVotes(raft);
  else askForVotes(raft, kind === "transfer");
}

function askForPreVotes(raft: Replica): void {
  raft.becomePreCandidate();
  const term = raft.currentTerm + 1;
  raft.promises.push({ type: "PreVoteResponse", group: raft.group, from: raft.id, to: raft.id, term, granted: true });
  forEachOtherVoter(raft, (to) => {
    const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = raft.log;
    raft.messages.push({ type: "PreVote", group: raft.group, from: raft.id, to, term, lastLogIndex, lastLogTerm });
  });
}

function askForVotes(raft: Replica, leadershipTransfer: boolean): void {
  raft.becomeCandidate();
  const term = raft.currentTerm;
  // Both our vote and our request are promises. The request says how far our log reaches and that this term is ours; a crash that took
  // either back could have us elected on the strength of what we no longer hold.
  raft.promises.push({ type: "RequestVoteResponse", group: raft.group, from: raft.id, to: raft.id, term, granted: true });
  forEachOtherVoter(raft, (to) => {
    const { lastIndex: lastLogIndex, lastTerm: lastLogTerm } = raft.log;
    const { group, id: from } = raft;
    raft.promises.push({ type: "RequestVote", group, from, to, term, lastLogIndex, lastLogTerm, leadershipTransfer });
  });
}

function forEachOtherVoter(raft: Replica, visit: (id: NodeId) => void): void {
  const { voters, votersOutgoing } = raft.configuration;
  for (const id of voters) if (id !== raft.id) visit(id);
  for (const id of votersOutgoing) if (id !== raft.id && !voters.includes(id)) visit(id);
}

/** A voter that heard from a leader lately refuses to depose it. Source: Raft §6, last paragraph; thesis §4.2.3. */
export function isShieldingLeader(raft: Replica, message: Message): boolean {
  if (message.type !== "RequestVote" && message.type !== "PreVote") return false;
  if (message.type === "RequestVote" && message.leadershipTransfer) return false;
  return raft.config.checkQuorum && raft.leaderId !== 0 && raft.electionElapsedTicks < raft.config.electionTicks;
}

export function handleRequestVote(raft: Replica, message: RequestVote): void {
  const free = raft.votedFor === message.from || (raft.votedFor === 0 && raft.leaderId === 0);
  const granted = free && raft.log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  if (granted) {
    raft.electionElapsedTicks = 0;
    if (raft.votedFor === 0) raft.trace({ type: "vote", term: raft.currentTerm, candidate: message.from });
    raft.votedFor = message.from;
  }
  const { group, id: from, currentTerm: term } = raft;
  raft.promises.push({ type: "RequestVoteResponse", group, from, to: message.from, term, granted });
}

export function handlePreVote(raft: Replica, message: PreVote): void {
  const free = message.term > raft.currentTerm || raft.votedFor === message.from || (raft.votedFor === 0 && raft.leaderId === 0);
  const granted = free && raft.log.isUpToDate(message.lastLogIndex, message.lastLogTerm);
  answerPreVote(raft, message, granted);
}

/** A refusal carries our own term, so that a candidate from the past catches up; a grant echoes the asked-for one. */
export function answerPreVote(raft: Replica, message: PreVote, granted: boolean): void {
  const term: Term = granted ? message.term : raft.currentTerm;
  raft.promises.push({ type: "PreVoteResponse", group: raft.group, from: raft.id, to: message.from, term, granted });
}

export function handleVoteResponse(raft: Replica, message: RequestVoteResponse | PreVoteResponse): void {
  const expected = raft.role === "preCandidate" ? "PreVoteResponse" : raft.role === "candidate" ? "RequestVoteResponse" : null;
  if (message.type !== expected) return raft.drop(message, "unexpected");
  // The first answer of a voter stands; repetitions change nothing.
  if (!raft.votes.has(message.from)) raft.votes.set(message.from, message.granted);
  const result = raft.quorumVote((id) => raft.votes.get(id));
  if (result === "lost") return raft.becomeFollower(raft.currentTerm, 0);
  if (result === "pending") return;
  if (raft.role === "preCandidate") return askForVotes(raft, false);
  raft.becomeLeader();
  announceLeadership(raft);
}
