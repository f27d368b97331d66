import type { SeededRandom, World } from "@octopii/testing";
import type { Fleet } from "../cluster/fleet.js";
import type { SimulatedMember } from "../cluster/simulated-member.js";
import type { RaftOracle } from "../oracles/raft-oracle.js";
import type { ClusterPlan } from "../plan/plan.js";

/** Members that must get along alone, and what was done to the others. */
export interface Core {
  readonly members: readonly SimulatedMember[];
  /** Ends what keeps the others out. */
  release(): void;
}

/**
 * Draws a core: a quorum of the voters, and perhaps some more. All others are kept out: dead, cut off, or heard by nobody. Source: VOPR's
 * liveness phase. Null where there is nobody to keep out.
 */
export function drawCore(world: World, fleet: Fleet, plan: ClusterPlan, oracle: RaftOracle, random: SeededRandom): Core | null {
  const { voters, learners, votersOutgoing } = oracle.configuration.configuration;
  const sound = (ids: readonly number[]): SimulatedMember[] =>
    ids.flatMap((id) => fleet.find(id) ?? []).filter(({ outOfService }) => outOfService !== "damaged");
  const quorum = Math.floor(voters.length / 2) + 1;
  const candidates = random.shuffle(sound(voters));
  if (votersOutgoing.length > 0 || candidates.length < quorum) return null;
  const chosen = candidates.slice(0, random.between(quorum, candidates.length));
  const members = [...chosen, ...sound(learners).filter(() => random.chance(1, 2))];
  const others = fleet.members.filter((member) => !members.includes(member));
  if (others.length === 0) return null;
  const releases = others.map((member) => keepOut(world, plan, member, random));
  const release = (): void => {
    for (const one of releases) one();
  };
  return { members, release };
}

function keepOut(world: World, plan: ClusterPlan, member: SimulatedMember, random: SeededRandom): () => void {
  // Who is heard and hears nobody campaigns for ever; only pre-votes keep such a one from disturbing the others.
  const hows = plan.tuning.preVote ? (["dead", "isolate", "deaf", "mute", "paused"] as const) : (["dead", "isolate", "paused"] as const);
  const how = random.pick(hows);
  if (how === "dead") {
    member.kill();
    return () => undefined;
  }
  if (how === "paused") {
    const { process } = member;
    process.pause();
    return () => {
      process.resume();
      member.disturb();
    };
  }
  const fault = world.network.isolate(member.host, how === "deaf" ? "in" : how === "mute" ? "out" : "both");
  return () => fault.heal();
}
