import type { SimulatedMember } from "../cluster/simulated-member.js";

/**
 * Which members have lost their logs, or hold bad copies: always a minority of the founders, so that whatever was committed has a good copy
 * on a quorum's worth of disks. Source: TigerBeetle's fault atlas.
 */
export class DamageAtlas {
  readonly #founders: number;
  readonly #damaged = new Set<number>();

  /** @param founders - how many founded the cluster; their ids are 1 to that. */
  constructor(founders: number) {
    this.#founders = founders;
  }

  get damaged(): ReadonlySet<number> {
    return this.#damaged;
  }

  has({ id }: SimulatedMember): boolean {
    return this.#damaged.has(id);
  }

  /** Whether the others would suffice without this member. */
  mayDamage(member: SimulatedMember): boolean {
    const most = Math.floor((this.#founders - 1) / 2);
    return member.id <= this.#founders && !this.has(member) && this.#damaged.size < most;
  }

  /** Counts a member out for good: it may run on for as long as it does, and is never started again. */
  damage(member: SimulatedMember): void {
    this.#damaged.add(member.id);
    member.outOfService ??= "damaged";
  }
}
