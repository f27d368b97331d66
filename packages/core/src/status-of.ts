import type { NodeId } from "@octopii/interfaces";
import { membersOf as idsOf, type RaftStatus } from "@octopii/raft";
import type { MemberStatus, PeerProgress } from "./status.js";

/** The members as Raft's status shows them. @param book - knows their addresses. */
export function membersOf({ configuration, progress }: RaftStatus, book: { addressOf(id: NodeId): string | null }): MemberStatus[] {
  const { voters, learners } = configuration;
  const matches = new Map(progress.map(({ id, matchIndex }) => [id, matchIndex]));
  return idsOf(configuration).map((id): MemberStatus => {
    const membership = voters.includes(id) ? "voter" : learners.includes(id) ? "learner" : "leaving";
    return { id, address: book.addressOf(id), membership, matchIndex: matches.get(id) ?? null };
  });
}

/** How far the others are. */
export function progressOf({ id: ownId, lastIndex, progress }: RaftStatus): PeerProgress[] {
  return progress
    .filter(({ id }) => id !== ownId)
    .map(({ id, matchIndex, state, recentlyActive }) => ({ id, matchIndex, lag: lastIndex - matchIndex, state, recentlyActive }));
}
