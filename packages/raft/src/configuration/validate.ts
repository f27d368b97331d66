import type { NodeId } from "@octopii/interfaces";
import { type Configuration, configurationMembersMax, isJoint } from "./configuration.js";
import { type MembershipRefusal, refuse } from "./refusal.js";

type List = "voters" | "votersOutgoing" | "learners" | "learnersNext";
const lists: readonly List[] = ["voters", "votersOutgoing", "learners", "learnersNext"];

/** Whether `id` can be a node's: a safe integer above 0. */
export function isNodeId(id: number): boolean {
  return Number.isSafeInteger(id) && id > 0;
}

/**
 * Checks everything that must hold between the parts of a configuration.
 * @returns null if it is sound, otherwise the first thing wrong. {@link emptyConfiguration} is sound.
 */
export function validateConfiguration(configuration: Configuration): MembershipRefusal | null {
  for (const name of lists) {
    const problem = checkList(configuration, name);
    if (problem !== null) return problem;
  }
  return checkSize(configuration) ?? checkDisjoint(configuration) ?? checkPhase(configuration);
}

/** Refuses a configuration with more than {@link configurationMembersMax} members. */
export function checkSize(configuration: Configuration): MembershipRefusal | null {
  const { voters, votersOutgoing, learners } = configuration;
  const members = new Set([...voters, ...votersOutgoing, ...learners]).size;
  return members > configurationMembersMax ? tooManyMembers(members) : null;
}

function tooManyMembers(members: number): MembershipRefusal {
  return refuse("tooManyMembers", `${members} members are too many: remove some, at most ${configurationMembersMax} are allowed`);
}

function checkList(configuration: Configuration, name: List): MembershipRefusal | null {
  if (configuration[name].length > configurationMembersMax) return tooManyMembers(configuration[name].length);
  let previous = 0;
  for (const id of configuration[name]) {
    if (!isNodeId(id)) return refuse("invalidNodeId", `${id} in ${name} is no node id: ids are safe integers above 0`, [id]);
    if (id <= previous) return refuse("inconsistent", `${name} must be ascending with each id once, but ${id} follows ${previous}`, [id]);
    previous = id;
  }
  return null;
}

function checkDisjoint(configuration: Configuration): MembershipRefusal | null {
  const { voters, votersOutgoing, learners, learnersNext } = configuration;
  return (
    refuseAny(common(learners, voters), "are both voters and learners") ??
    refuseAny(common(learners, votersOutgoing), "are learners though they still vote in the outgoing half") ??
    refuseAny(common(learnersNext, voters), "are to become learners though they are incoming voters") ??
    refuseAny(
      learnersNext.filter((id) => !votersOutgoing.includes(id)),
      "are to become learners later though they are not outgoing voters",
    )
  );
}

function checkPhase(configuration: Configuration): MembershipRefusal | null {
  const { voters, votersOutgoing, learners, autoLeave } = configuration;
  if (voters.length === 0 && votersOutgoing.length + learners.length > 0) {
    return refuse("inconsistent", "a configuration with members must have a voter among them");
  }
  if (autoLeave && !isJoint(configuration)) return refuse("inconsistent", "only a joint configuration can be left automatically");
  return null;
}

function common(some: readonly NodeId[], others: readonly NodeId[]): NodeId[] {
  return some.filter((id) => others.includes(id));
}

function refuseAny(nodes: readonly NodeId[], complaint: string): MembershipRefusal | null {
  return nodes.length === 0
    ? null
    : refuse("inconsistent", `the configuration contradicts itself: ${nodes.join(", ")} ${complaint}`, nodes);
}
