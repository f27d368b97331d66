import type { NodeId } from "@octopii/interfaces";
import type { Index } from "../types.js";
import { type MatchIndexOf, majorityCommittedIndex, majorityVoteResult, type VoteOf, type VoteResult } from "./majority.js";

/**
 * The highest index that both halves of a joint configuration hold, each by a majority of its own. With an empty
 * `votersOutgoing`, which is the ordinary case, this is the majority's index of `voters`. Source: Raft §6, thesis §4.3.
 */
export function jointCommittedIndex(voters: readonly NodeId[], votersOutgoing: readonly NodeId[], matchIndexOf: MatchIndexOf): Index {
  const incoming = majorityCommittedIndex(voters, matchIndexOf);
  if (votersOutgoing.length === 0) return incoming;
  const outgoing = majorityCommittedIndex(votersOutgoing, matchIndexOf);
  return Math.min(incoming, outgoing);
}

/** How a vote stands when both halves must grant it: one lost half loses it. Source: Raft §6, thesis §4.3. */
export function jointVoteResult(voters: readonly NodeId[], votersOutgoing: readonly NodeId[], voteOf: VoteOf): VoteResult {
  const incoming = majorityVoteResult(voters, voteOf);
  if (votersOutgoing.length === 0 || incoming === "lost") return incoming;
  const outgoing = majorityVoteResult(votersOutgoing, voteOf);
  return incoming === "won" ? outgoing : outgoing === "lost" ? "lost" : "pending";
}
