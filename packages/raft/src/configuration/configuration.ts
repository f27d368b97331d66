import type { NodeId } from "@octopii/interfaces";

/**
 * Who belongs to a group, and in which part: plain data, never changed after it was made. All lists are ascending, each id once.
 * It is what a snapshot stores. Source: Raft §6; learners: thesis §4.2.1.
 */
export interface Configuration {
  /** Who votes. While joint: the incoming half. */
  readonly voters: readonly NodeId[];
  /** While joint: who voted before the change, and votes still, in a quorum of its own. Otherwise empty. */
  readonly votersOutgoing: readonly NodeId[];
  /** Who receives the log without a vote. */
  readonly learners: readonly NodeId[];
  /** Outgoing voters that become learners when the joint configuration is left; until then they vote. */
  readonly learnersNext: readonly NodeId[];
  /** While joint: the leader leaves it by itself as soon as the change is applied. Otherwise false. */
  readonly autoLeave: boolean;
}

/** Nobody: a node that was neither bootstrapped nor told of a group. */
export const emptyConfiguration: Configuration = {
  voters: [],
  votersOutgoing: [],
  learners: [],
  learnersNext: [],
  autoLeave: false,
};

/**
 * How many members a configuration may have, over all its parts. A decision needs a majority to answer, so nobody profits
 * from thousands; the bound keeps what a stored or received configuration can make us allocate at a few kilobytes.
 */
export const configurationMembersMax = 1024;

/** Whether a change of membership is half done: decisions need a majority of both halves. */
export function isJoint(configuration: Configuration): boolean {
  return configuration.votersOutgoing.length > 0;
}

/** Everybody in the configuration, ascending, each once. */
export function membersOf(configuration: Configuration): NodeId[] {
  const { voters, votersOutgoing, learners } = configuration;
  // `learnersNext` are outgoing voters.
  return [...new Set([...voters, ...votersOutgoing, ...learners])].sort(ascending);
}

/** Compares ids for sorting. */
export function ascending(a: NodeId, b: NodeId): number {
  return a - b;
}

/** A configuration in a few words, for people. */
export function describeConfiguration({ voters, votersOutgoing, learners, learnersNext }: Configuration): string {
  const part = (name: string, ids: readonly NodeId[]): string[] => (ids.length === 0 ? [] : [`${name} ${ids.join(" ")}`]);
  const parts = [
    ...part("voters", voters),
    ...part("outgoing voters", votersOutgoing),
    ...part("learners", learners),
    ...part("learners to be", learnersNext),
  ];
  return parts.length === 0 ? "no members" : parts.join(", ");
}
