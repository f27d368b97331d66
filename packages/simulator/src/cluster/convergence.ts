import type { MemberStatus, NodeStatus } from "@octopii/core";
import { type Configuration, membersOf } from "@octopii/raft";
import type { RaftOracle } from "../oracles/raft-oracle.js";
import { OracleViolation } from "../oracles/violation.js";
import type { Fleet } from "./fleet.js";
import type { SimulatedMember } from "./simulated-member.js";

/** The machines of the last configuration. One that was switched off and is in it all the same is started again. */
export function finalMembers(fleet: Fleet, oracle: RaftOracle): readonly SimulatedMember[] {
  const members = membersOf(oracle.configuration.configuration).flatMap((id) => fleet.find(id) ?? []);
  for (const member of members) if (member.process.state === "dead") member.start();
  return members;
}

/**
 * Whether all members of the last configuration know that it is the last, that is, hold all that was committed and nothing else, and one of
 * them leads. Whoever was removed, or never added, does not count.
 */
export function hasConverged(fleet: Fleet, oracle: RaftOracle): boolean {
  const { configuration } = oracle.configuration;
  if (configuration.votersOutgoing.length > 0) return false;
  const committed = oracle.committedIndex;
  let leaders = 0;
  for (const { node } of finalMembers(fleet, oracle)) {
    const status = node?.status();
    if (status === undefined || status.appliedIndex < committed || status.lastIndex > committed) return false;
    if (!isIn(status, configuration)) return false;
    if (status.role === "leader") leaders++;
  }
  return leaders > 0;
}

function isIn({ members }: NodeStatus, { voters, learners }: Configuration): boolean {
  const ids = (membership: MemberStatus["membership"]): number[] =>
    members.filter((member) => member.membership === membership).map(({ id }) => id);
  const { length } = members;
  return length === voters.length + learners.length && isEqual(ids("voter"), voters) && isEqual(ids("learner"), learners);
}

const isEqual = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, at) => id === b[at]);

/** @throws {OracleViolation} if two members that have applied the same hold different states. */
export function checkEqualStores(members: readonly SimulatedMember[]): void {
  const [first, ...others] = members.map(({ id, store }) => ({ id, content: JSON.stringify(store.entries()) }));
  for (const other of others) {
    if (other.content !== first?.content)
      throw new OracleViolation(
        "equal state",
        `nodes ${String(first?.id)} and ${other.id} applied the same entries and hold different states`,
      );
  }
}

/** What a member says of itself, in a few words. */
export function describeMember({ host, node }: SimulatedMember): string {
  if (node === null) return `${host} dead`;
  const { role, term, leaderId, lastIndex, commitIndex, appliedIndex, members } = node.status();
  const group = members.map(({ id, membership }) => (membership === "voter" ? String(id) : `${id} ${membership}`)).join(" ");
  return `${host} ${role} of ${leaderId} in ${term}, holds ${lastIndex}, committed ${commitIndex}, applied ${appliedIndex}, knows [${group}]`;
}
