import type { Member, NodeStatus } from "@octopii/core";
import type { SeededRandom, World } from "@octopii/testing";
import type { ClusterPlan } from "./plan.js";
import { addressOf, foundingMembers, type MemberObserver, type MemberSetup, SimulatedMember } from "./simulated-member.js";

/** All machines of a simulated cluster: the founders', and those that were set up to join it. Ids are never used again. */
export class Fleet {
  /** In the order of their ids. It grows. */
  readonly members: readonly SimulatedMember[];
  readonly #members: SimulatedMember[];
  readonly #world: World;
  readonly #plan: ClusterPlan;
  readonly #observer: MemberObserver;
  readonly #random: SeededRandom;

  constructor(world: World, plan: ClusterPlan, observer: MemberObserver) {
    this.#world = world;
    this.#plan = plan;
    this.#observer = observer;
    this.#random = world.random.fork("fleet");
    const founders = foundingMembers(plan.nodes);
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
      const status = member.process.state === "running" ? member.node?.status() : undefined;
      if (status?.role === "leader" && status.term > (newest?.status.term ?? 0)) newest = { member, status };
    }
    return newest;
  }

  #make(id: number, setup: Pick<MemberSetup, "members" | "join">): SimulatedMember {
    const random = this.#random.fork(String(id));
    const electionDelayTicks = random.pick(this.#plan.electionDelays);
    const member = new SimulatedMember(id, this.#world, { ...this.#plan.tuning, ...setup, electionDelayTicks }, this.#observer);
    member.skew(random, this.#plan.clockSkewMax);
    return member;
  }
}
