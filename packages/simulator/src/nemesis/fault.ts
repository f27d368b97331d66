import type { NetworkFault, SeededRandom, World } from "@octopii/testing";
import type { Fleet } from "../cluster/fleet.js";
import type { SimulatedMember } from "../cluster/simulated-member.js";
import type { ClusterPlan } from "../plan/plan.js";
import type { DamageAtlas } from "./damage-atlas.js";

/** A moment that a fault may wait for. */
export type Moment = "commit" | "election";

/** What faults act on, and how they are undone. */
export interface FaultContext {
  readonly world: World;
  readonly fleet: Fleet;
  readonly plan: ClusterPlan;
  readonly atlas: DamageAtlas;
  /** Heals a fault of the network after a while. */
  impose(fault: NetworkFault, durationMs: number): void;
  /** Runs `work` after a while, if the faults are not over by then; it runs at their end otherwise. */
  undo(durationMs: number, work: () => void): void;
  /** Runs `strike` when a node next says that it has committed something, or won an election; before it can do anything more. */
  atNext(moment: Moment, strike: (member: SimulatedMember) => void): void;
  /** Starts a node again, a while after its process died. */
  revive(member: SimulatedMember, afterMs: number): void;
  /** The nodes did what they must not. */
  violate(oracle: string, message: string): void;
}

/** One stroke of bad luck. */
export interface Strike {
  /** Numbers of its own: what one fault draws shifts no other. */
  readonly random: SeededRandom;
  readonly member: SimulatedMember;
  readonly durationMs: number;
}

/** Does harm. @returns whether there was anything to do. */
export type FaultAction = (context: FaultContext, strike: Strike) => boolean;
