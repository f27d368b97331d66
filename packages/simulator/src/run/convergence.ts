import type { MemberStatus, NodeStatus } from "@octopii/core";
import { type Configuration, membersOf } from "@octopii/raft";
import type { Fleet } from "../cluster/fleet.js";
import type { SimulatedMember } from "../cluster/simulated-member.js";
import type { RaftOracle } from "../oracles/raft-oracle.js";

/**
 * The machines of the last configuration whose logs are not lost. One that was switched off and is in it all the same is started again, and so
 * is one that has failed.
 */
export function finalMembers(fleet: Fleet, oracle: RaftOracle): readonly SimulatedMember[] {
  const all = membersOf(oracle.configuration.configuration).flatMap((id) => fleet.find(id) ?? []);
  const members = all.filter(({ outOfService }) => outOfService !== "damaged");
  for (const member of members) bringBack(member);
  return members;
}

/** Starts a member's node unless it runs. */
export function bringBack(member: SimulatedMember): void {
  if (member.outOfService === "retired") member.outOfService = null;
  if (member.process.state === "paused") member.process.resume();
  if (member.process.state === "dead") member.start();
}

/**
 * Whether `members` know that the last configuration is the last, that is, hold all that was committed and nothing else, and one of
 * `leaders` leads, by all accounts.
 */
export function hasConverged(members: readonly SimulatedMember[], leaders: readonly SimulatedMember[], oracle: RaftOracle): boolean {
  const { configuration } = oracle.configuration;
  if (configuration.votersOutgoing.length > 0) return false;
  const committed = oracle.committedIndex;
  for (const member of members) {
    const status = member.isUp ? member.node?.status() : undefined;
    if (status === undefined || status.appliedIndex < committed || status.lastIndex > committed) return false;
    if (!isIn(status, configuration)) return false;
  }
  return leaders.some(({ node, isUp, process }) => isUp && process.state === "running" && node?.status().role === "leader");
}

function isIn({ members }: NodeStatus, { voters, learners }: Configuration): boolean {
  const ids = (membership: MemberStatus["membership"]): number[] =>
    members.filter((member) => member.membership === membership).map(({ id }) => id);
  const { length } = members;
  return length === voters.length + learners.length && isEqual(ids("voter"), voters) && isEqual(ids("learner"), learners);
}

const isEqual = (a: readonly number[], b: readonly number[]): boolean => a.length === b.length && a.every((id, at) => id === b[at]);

/** What a member says of itself, in a few words. */
export function describeMember({ host, node, hasFailed, outOfService }: SimulatedMember): string {
  const service = outOfService === null ? "" : ` (${outOfService})`;
  if (node === null) return `${host} dead${service}`;
  if (hasFailed) return `${host} failed${service}`;
  const { role, term, leaderId, lastIndex, commitIndex, appliedIndex, members } = node.status();
  const group = members.map(({ id, membership }) => (membership === "voter" ? String(id) : `${id} ${membership}`)).join(" ");
  return `${host} ${role} of ${leaderId} in ${term}, holds ${lastIndex}, committed ${commitIndex}, applied ${appliedIndex}, knows [${group}]${service}`;
}
