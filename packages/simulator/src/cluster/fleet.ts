import type { Member, NodeStatus, StateMachine } from "@octopii/core";
import type { SeededRandom, World } from "@octopii/testing";
import { drawLimits } from "../plan/draw.js";
import type { ClusterPlan } from "../plan/plan.js";
import { addressOf, foundingMembers, type MemberObserver, type MemberSetup, SimulatedMember } from "./simulated-member.js";

/** What all machines of a fleet are made with. */
export interface FleetParts {
  readonly world: World;
  readonly plan: ClusterPlan;
  readonly stateMachine: () => StateMachine;
  readonly observer: MemberObserver;
}

/** All machines of a simulated cluster: the founders', and those that were set up to join it. Ids are never used again. */
export class Fleet {
  /** In the order of their ids. It grows. */
  readonly members: readonly SimulatedMember[];
  readonly #members: SimulatedMember[];
  readonly #parts: FleetParts;
  readonly #random: SeededRandom;

  constructor(parts: FleetParts) {
    this.#parts = parts;
    this.#random = parts.world.random.fork("fleet");
    const founders = foundingMembers(parts.plan.nodes);
    this.#members = founders.map(({ id }) => this.#make(id, { members: founders }));
    this.members = this.#members;
  }

  /** A new machine, with an empty disk, that waits to be added. @param known - whom it is told of. */
  join(known: readonly Member[]): SimulatedMember {
    const id = this.#members.length + 1;
    const member = this.#make(id, { members: [...known, { id, address: addressOf(id) }], join: true });
    this.#members.push(member);
    member.start();
    return member;
  }

  /** @returns undefined if there is no such member. */
  find(id: number): SimulatedMember | undefined {
    return this.#members[id - 1];
  }

  /** The node that leads, as far as anybody thinks so; the one of the latest term if several do. */
  leader(): { member: SimulatedMember; status: NodeStatus } | null {
    let newest: { member: SimulatedMember; status: NodeStatus } | null = null;
    for (const member of this.#members) {
      const status = member.process.state === "running" && member.isUp ? member.node?.status() : undefined;
      if (status?.role === "leader" && status.term > (newest?.status.term ?? 0)) newest = { member, status };
    }
    return newest;
  }

  #make(id: number, setup: Pick<MemberSetup, "members" | "join">): SimulatedMember {
    const { world, plan, stateMachine, observer } = this.#parts;
    const random = this.#random.fork(String(id));
    const electionDelayTicks = random.pick(plan.electionDelays);
    const own = plan.mixed ? drawLimits(random.fork("limits")) : {};
    const member = new SimulatedMember(id, world, { ...plan.tuning, ...own, ...setup, electionDelayTicks }, stateMachine, observer);
    member.skew(random, plan.clockSkewMax);
    return member;
  }
}
