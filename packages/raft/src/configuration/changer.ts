import type { NodeId } from "@octopii/interfaces";
import { broken } from "../assert.js";
import type { Index } from "../types.js";
import { type ConfigurationChange, type MemberChange, routeOf, validateConfigurationChange } from "./change.js";
import { type Configuration, emptyConfiguration, isJoint, membersOf } from "./configuration.js";
import type { Membership, MembershipOutcome } from "./membership.js";
import { type MembershipRefusal, type MembershipRefusalCode, refuse } from "./refusal.js";
import { Roster } from "./roster.js";
import { checkSize, validateConfiguration } from "./validate.js";

/** The membership of a node that was neither bootstrapped nor told of a group. */
export const emptyMembership: Membership = { configuration: emptyConfiguration, progress: [] };

/**
 * Takes over a configuration from a snapshot or from storage. Everybody's progress begins anew.
 * @param lastIndex - the last index of the own log: where probing begins.
 */
export function restoreMembership(configuration: Configuration, lastIndex: Index): MembershipOutcome {
  const problem = validateConfiguration(configuration);
  if (problem !== null) return { accepted: false, refusal: problem };
  return finish(emptyMembership, new Roster({ configuration, progress: [] }), lastIndex);
}

/**
 * Carries out the change of a committed entry by the way that its transition asks for.
 * @param lastIndex - the last index of the own log: where probing of new members begins.
 */
export function applyConfigurationChange(membership: Membership, lastIndex: Index, change: ConfigurationChange): MembershipOutcome {
  const problem = validateConfigurationChange(change);
  if (problem !== null) return { accepted: false, refusal: problem };
  const route = routeOf(change);
  if (route.kind === "leaveJoint") return leaveJoint(membership, lastIndex);
  if (route.kind === "enterJoint") return enterJoint(membership, lastIndex, change.changes, route.autoLeave);
  return simpleChange(membership, lastIndex, change.changes);
}

/**
 * Changes the membership in one step. At most one voter may come or go, so that every old majority overlaps every new one;
 * learners may change at will. Source: thesis §4.1.
 */
export function simpleChange(membership: Membership, lastIndex: Index, changes: readonly MemberChange[]): MembershipOutcome {
  const { configuration } = membership;
  const roster = takeApart(membership, changes);
  if (!(roster instanceof Roster)) return { accepted: false, refusal: roster };
  if (isJoint(configuration)) return refused("alreadyJoint", "a joint configuration admits no simple change: leave it first");
  roster.perform(changes);
  if (!roster.hasVoters) return refusedNoVotersLeft();
  const outcome = finish(membership, roster, lastIndex);
  if (!outcome.accepted) return outcome;
  const changed = difference(configuration.voters, outcome.membership.configuration.voters);
  if (changed.length <= 1) return outcome;
  return refused(
    "jointRequired",
    `${changed.length} voters cannot change in one step: use a joint configuration, or one at a time`,
    changed,
  );
}

/**
 * Enters a joint configuration: from now on decisions need a majority of the old voters and one of the new. Any number of
 * voters may change. Source: Raft §6, thesis §4.3.
 * @param autoLeave - the leader leaves it as soon as it is applied.
 */
export function enterJoint(
  membership: Membership,
  lastIndex: Index,
  changes: readonly MemberChange[],
  autoLeave: boolean,
): MembershipOutcome {
  const roster = takeApart(membership, changes);
  if (!(roster instanceof Roster)) return { accepted: false, refusal: roster };
  if (isJoint(membership.configuration)) return refused("alreadyJoint", "the configuration is joint already: leave it first");
  if (!roster.hasVoters) return refused("noVotersYet", "a configuration without voters cannot become joint: add the first voter by itself");
  roster.splitVoters(autoLeave);
  roster.perform(changes);
  return roster.hasVoters ? finish(membership, roster, lastIndex) : refusedNoVotersLeft();
}

/** Leaves the joint configuration: the incoming voters decide alone, and those who were to become learners do. */
export function leaveJoint(membership: Membership, lastIndex: Index): MembershipOutcome {
  const roster = takeApart(membership, []);
  if (!(roster instanceof Roster)) return { accepted: false, refusal: roster };
  if (!isJoint(membership.configuration)) return refused("notJoint", "the configuration is not joint: there is nothing to leave");
  roster.dropOutgoing();
  return finish(membership, roster, lastIndex);
}

/** Refuses to build on a membership, or on steps, that are unsound: the result would be too. */
function takeApart(membership: Membership, changes: readonly MemberChange[]): Roster | MembershipRefusal {
  const problem = validateConfiguration(membership.configuration) ?? validateConfigurationChange({ transition: "auto", changes });
  if (problem !== null) return problem;
  const { configuration, progress } = membership;
  const members = membersOf(configuration);
  const matches = (id: NodeId, at: number): boolean =>
    progress[at]?.id === id && progress[at].isLearner === configuration.learners.includes(id);
  if (members.length === progress.length && members.every(matches)) return new Roster(membership);
  return refuse("inconsistent", "the progress records are not those of the configuration: restore the membership from the configuration");
}

function finish(before: Membership, roster: Roster, lastIndex: Index): MembershipOutcome {
  if (!(Number.isSafeInteger(lastIndex) && lastIndex >= 0)) broken(`last index ${lastIndex}`);
  const membership = roster.toMembership(lastIndex);
  const oversize = checkSize(membership.configuration);
  if (oversize !== null) return { accepted: false, refusal: oversize };
  const problem = validateConfiguration(membership.configuration);
  if (problem !== null) broken(`a change made the configuration unsound: ${problem?.message}`);
  const kept = roster.keptMembers();
  const startOver = (progress: Membership["progress"]): NodeId[] => progress.filter(({ id }) => !kept.has(id)).map(({ id }) => id);
  return { accepted: true, membership, added: startOver(membership.progress), removed: startOver(before.progress) };
}

/** The ids that are in one list only. */
function difference(some: readonly NodeId[], others: readonly NodeId[]): NodeId[] {
  return [...some.filter((id) => !others.includes(id)), ...others.filter((id) => !some.includes(id))];
}

function refusedNoVotersLeft(): MembershipOutcome {
  return refused("noVotersLeft", "the change would remove all voters: keep one, or add one in the same change");
}

function refused(code: MembershipRefusalCode, message: string, nodes?: readonly NodeId[]): MembershipOutcome {
  return { accepted: false, refusal: refuse(code, message, nodes) };
}
