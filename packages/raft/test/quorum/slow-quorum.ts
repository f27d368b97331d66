import type { NodeId } from "@octopii/interfaces";
import { type MatchIndexOf, unboundedIndex, type VoteOf, type VoteResult } from "../../src/quorum/index.js";

/** Whether more than half of each non-empty list is in `having`: the definition, without any cleverness. */
function isQuorum(halves: readonly (readonly NodeId[])[], having: ReadonlySet<NodeId>): boolean {
  return halves.every((half) => half.length === 0 || half.filter((id) => having.has(id)).length * 2 > half.length);
}

/** Tries every index that anybody reported, highest first. */
export function slowCommittedIndex(halves: readonly (readonly NodeId[])[], matchIndexOf: MatchIndexOf): number {
  const ids = [...new Set(halves.flat())];
  if (ids.length === 0) return unboundedIndex;
  const candidates = [...new Set([0, ...ids.map(matchIndexOf)])].sort((a, b) => b - a);
  const committed = candidates.find((index) => isQuorum(halves, new Set(ids.filter((id) => matchIndexOf(id) >= index))));
  if (committed === undefined) throw new Error("index 0 is held by everybody");
  return committed;
}

/** Plays every way in which the open votes can still turn out. */
export function slowVoteResult(halves: readonly (readonly NodeId[])[], voteOf: VoteOf): VoteResult {
  const ids = [...new Set(halves.flat())];
  const open = ids.filter((id) => voteOf(id) === undefined);
  const endings = new Set<boolean>();
  for (let ending = 0; ending < 2 ** open.length; ending++) {
    const granted = ids.filter((id) => voteOf(id) ?? ((ending >> open.indexOf(id)) & 1) === 1);
    endings.add(isQuorum(halves, new Set(granted)));
  }
  return endings.size === 2 ? "pending" : endings.has(true) ? "won" : "lost";
}

/** All subsets of `ids`. */
export function subsetsOf(ids: readonly NodeId[]): Set<NodeId>[] {
  return Array.from({ length: 2 ** ids.length }, (_, bits) => new Set(ids.filter((_, at) => (bits >> at) & 1)));
}
