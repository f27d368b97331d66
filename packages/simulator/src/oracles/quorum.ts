import type { NodeId } from "@octopii/interfaces";
import type { Configuration } from "@octopii/raft";

/**
 * Whether those of whom `has` is true decide for the whole group: a majority of its voters, and while it is joint a majority of each half
 * (Raft §6). Not taken from the code under test.
 */
export function isQuorum({ voters, votersOutgoing }: Configuration, has: (id: NodeId) => boolean): boolean {
  return isMajority(voters, has) && (votersOutgoing.length === 0 || isMajority(votersOutgoing, has));
}

function isMajority(voters: readonly NodeId[], has: (id: NodeId) => boolean): boolean {
  let count = 0;
  for (const id of voters) if (has(id)) count++;
  return 2 * count > voters.length;
}
