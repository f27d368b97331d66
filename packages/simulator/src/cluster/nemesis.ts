import type { Scheduler, Timer } from "@octopii/interfaces";
import type { NetworkFault, SeededRandom, World } from "@octopii/testing";
import type { Fleet } from "./fleet.js";
import type { ClusterPlan, FaultKind } from "./plan.js";
import type { SimulatedMember } from "./simulated-member.js";

/** Does harm to a cluster at random moments, and undoes it again a while later. */
export class Nemesis {
  readonly counts: Record<string, number> = {};
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #fleet: Fleet;
  readonly #plan: ClusterPlan;
  readonly #random: SeededRandom;
  #timer: Timer | null = null;
  readonly #networkFaults = new Set<NetworkFault>();

  constructor(world: World, fleet: Fleet, plan: ClusterPlan, random: SeededRandom) {
    this.#world = world;
    this.#scheduler = world.scheduler();
    this.#fleet = fleet;
    this.#plan = plan;
    this.#random = random;
  }

  start(): void {
    if (this.#plan.faults.length > 0) this.#schedule();
  }

  /** Ends all faults: everybody lives, and everybody hears everybody. */
  stop(): void {
    this.#timer?.cancel();
    for (const fault of this.#networkFaults) fault.heal();
    this.#world.network.heal();
    this.#world.network.configure({ lossPerMillion: 0 });
    for (const member of this.#fleet.members) {
      if (member.process.state === "paused") member.process.resume();
      if (member.process.state === "dead" && !member.retired) member.start();
    }
  }

  #schedule(): void {
    const delayMs = 1 + this.#random.exponential(this.#plan.meanMsBetweenFaults);
    this.#timer = this.#scheduler.setTimer(delayMs, () => {
      this.#strike(this.#random.pick(this.#plan.faults));
      this.#schedule();
    });
  }

  #strike(kind: FaultKind): void {
    const member = this.#victim();
    const durationMs = this.#random.pick([5, 50, 300, 1_500]) + this.#random.exponential(50);
    if (!this.#inflict(kind, member, durationMs)) return;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
  }

  /** Whoever leads more often than others: most of what can go wrong begins with the end of a leader. */
  #victim(): SimulatedMember {
    const leader = this.#random.chance(1, 3) ? this.#fleet.leader() : null;
    return leader?.member ?? this.#random.pick(this.#fleet.members);
  }

  /** @returns whether there was anything to do. */
  #inflict(kind: FaultKind, member: SimulatedMember, durationMs: number): boolean {
    const { network } = this.#world;
    const hosts = this.#fleet.members.map(({ host }) => host);
    switch (kind) {
      case "power":
      case "kill":
      case "close":
        return this.#takeDown([member], kind, durationMs);
      case "blackout":
        return this.#takeDown(this.#fleet.members, "power", durationMs);
      case "pause":
        return this.#pause(member, durationMs);
      case "halves":
        return hosts.length > 1 && this.#impose(network.splitInHalves(hosts, this.#random), durationMs);
      case "isolate":
        return this.#impose(network.isolate(member.host), durationMs);
      case "deaf":
        return this.#impose(network.isolate(member.host, "in"), durationMs);
      case "mute":
        return this.#impose(network.isolate(member.host, "out"), durationMs);
      case "clog":
        return this.#impose(network.clog(member.host, this.#random.pick(hosts)), durationMs);
      case "loss":
        network.configure({ lossPerMillion: this.#random.pick([0, 50_000, 300_000]) });
        return true;
      case "slowDisk":
        member.process.disk.stall(durationMs);
        return true;
      case "skew":
        member.skew(this.#random, this.#plan.clockSkewMax);
        return this.#plan.clockSkewMax > 0;
    }
  }

  #takeDown(members: readonly SimulatedMember[], how: "power" | "kill" | "close", durationMs: number): boolean {
    const victims = members.filter(({ process }) => process.state !== "dead");
    for (const victim of victims) {
      if (how === "power") victim.process.crash();
      else if (how === "kill") victim.process.kill();
      else victim.leave();
      this.#scheduler.setTimer(durationMs + this.#random.exponential(20), () => {
        // One that is still closing is cut short.
        if (how === "close") victim.process.kill();
        if (victim.process.state === "dead" && !victim.retired) victim.start();
      });
    }
    return victims.length > 0;
  }

  #pause(member: SimulatedMember, durationMs: number): boolean {
    if (member.process.state !== "running") return false;
    const { process } = member;
    process.pause();
    this.#scheduler.setTimer(durationMs, () => {
      process.resume();
      member.disturb();
    });
    return true;
  }

  #impose(fault: NetworkFault, durationMs: number): boolean {
    this.#networkFaults.add(fault);
    this.#scheduler.setTimer(durationMs, () => {
      fault.heal();
      this.#networkFaults.delete(fault);
    });
    return true;
  }
}
