import type { NodeId } from "@octopii/interfaces";
import type { Index } from "../types.js";

/** How a vote stands: `won` and `lost` are final, `pending` needs more answers. */
export type VoteResult = "won" | "lost" | "pending";

/**
 * The highest index that a voter is known to hold; 0 if nothing is known. Any counter that only grows will do: a leader also
 * finds the read round that a quorum has confirmed this way. Must not itself ask for a committed index.
 */
export type MatchIndexOf = (voter: NodeId) => Index;

/** A voter's answer: true for a granted vote, false for a refusal, undefined while there is none. */
export type VoteOf = (voter: NodeId) => boolean | undefined;

/** What no voters at all have committed: everything. It stands aside when the lower of two halves is taken. */
export const unboundedIndex: Index = Number.MAX_SAFE_INTEGER;

/** Reused by every call, so that an acknowledgement allocates nothing. It grows once if somebody has more voters. */
const ascending: Index[] = Array.from({ length: 16 }, () => 0);

/** How many of `count` voters make a majority. */
function majorityOf(count: number): number {
  return (count >> 1) + 1;
}

/**
 * The highest index that a majority of `voters` holds; {@link unboundedIndex} if there are no voters.
 *
 * Called for each acknowledgement: allocates nothing, and sorts by insertion because voters are few.
 * @param voters - each id once, in any order.
 */
export function majorityCommittedIndex(voters: readonly NodeId[], matchIndexOf: MatchIndexOf): Index {
  const count = voters.length;
  if (count === 0) return unboundedIndex;
  for (let held = 0; held < count; held++) {
    const index = matchIndexOf(voters[held] as NodeId);
    let at = held;
    for (; at > 0 && (ascending[at - 1] as Index) > index; at--) ascending[at] = ascending[at - 1] as Index;
    ascending[at] = index;
  }
  // Whoever stands at or above this place is a majority.
  return ascending[count - majorityOf(count)] as Index;
}

/** How a vote among `voters` stands; no voters have won every vote. @param voters - each id once, in any order. */
export function majorityVoteResult(voters: readonly NodeId[], voteOf: VoteOf): VoteResult {
  if (voters.length === 0) return "won";
  let granted = 0;
  let open = 0;
  for (const voter of voters) {
    const vote = voteOf(voter);
    if (vote === undefined) open++;
    else if (vote) granted++;
  }
  const needed = majorityOf(voters.length);
  if (granted >= needed) return "won";
  return granted + open >= needed ? "pending" : "lost";
}
