import type { NodeEvent } from "@octopii/core";
import type { Scheduler, Timer } from "@octopii/interfaces";
import { diskDefaults, type NetworkFault, type SeededRandom, type World } from "@octopii/testing";
import type { Fleet } from "../cluster/fleet.js";
import type { SimulatedMember } from "../cluster/simulated-member.js";
import { type ClusterPlan, isKept } from "../plan/plan.js";
import { catalogue } from "./catalogue.js";
import { DamageAtlas } from "./damage-atlas.js";
import type { FaultContext, Moment } from "./fault.js";

/** Faults that wait for one moment, at most; more are not armed. */
const armedMax = 2;

/** Does harm to a cluster at random moments, and undoes it again a while later. */
export class Nemesis {
  /** Faults by kind. */
  readonly counts: Record<string, number> = {};
  /** How many strokes there were, those included that were left out or had nothing to do. */
  struck = 0;
  readonly atlas: DamageAtlas;
  readonly #world: World;
  readonly #scheduler: Scheduler;
  readonly #fleet: Fleet;
  readonly #plan: ClusterPlan;
  readonly #random: SeededRandom;
  readonly #delays: SeededRandom;
  readonly #violate: (oracle: string, message: string) => void;
  readonly #context: FaultContext;
  readonly #networkFaults = new Set<NetworkFault>();
  readonly #undoing = new Set<() => void>();
  readonly #armed: Record<Moment, ((member: SimulatedMember) => void)[]> = { commit: [], election: [] };
  #timer: Timer | null = null;

  constructor(world: World, fleet: Fleet, plan: ClusterPlan, violate: (oracle: string, message: string) => void) {
    this.#world = world;
    this.#scheduler = world.scheduler();
    this.#fleet = fleet;
    this.#plan = plan;
    this.#random = world.random.fork("nemesis");
    this.#delays = this.#random.fork("delays");
    this.#violate = violate;
    this.atlas = new DamageAtlas(plan.nodes);
    this.#context = this.#makeContext();
  }

  start(): void {
    if (this.#plan.faults.length > 0) this.#schedule();
  }

  /** Strikes no more, undoes what waits to be undone, and heals disks and links. Who is dead stays dead. */
  stop(): void {
    this.#timer?.cancel();
    this.#armed.commit = [];
    this.#armed.election = [];
    for (const fault of this.#networkFaults) fault.heal();
    this.#world.network.heal();
    this.#world.network.configure({ lossPerMillion: 0, duplicatePerMillion: 0, maxPacketBytes: Number.MAX_SAFE_INTEGER });
    while (this.#undoing.size > 0) for (const undo of this.#undoing) undo();
    for (const { process } of this.#fleet.members) {
      process.disk.faults.clear();
      process.disk.silentFaults.clear();
      process.disk.configure(diskDefaults);
    }
  }

  /** A member's disk has made its node stop: somebody will start it again. */
  attend(member: SimulatedMember): void {
    member.hasFailed = true;
    this.#context.undo(this.#random.pick([1, 100]) + this.#random.exponential(50), () => {
      if (!member.hasFailed || member.outOfService === "held") return;
      member.kill();
      member.start();
    });
  }

  /** What a node says may be what a fault waits for. */
  observe(id: number, event: NodeEvent): void {
    if (event.type === "commit") this.#fire("commit", id);
    else if (event.type === "role" && event.role === "leader") this.#fire("election", id);
  }

  #fire(moment: Moment, id: number): void {
    const member = this.#fleet.find(id);
    const strike = member === undefined ? undefined : this.#armed[moment].shift();
    if (member !== undefined) strike?.(member);
  }

  #schedule(): void {
    const delayMs = 1 + this.#delays.exponential(this.#plan.meanMsBetweenFaults);
    this.#timer = this.#scheduler.setTimer(delayMs, () => {
      this.#strike();
      this.#schedule();
    });
  }

  #strike(): void {
    const number = ++this.struck;
    if (!isKept(this.#plan.keep.faults, number)) return;
    const random = this.#random.fork(`strike ${number}`);
    const kind = random.pick(this.#plan.faults);
    const member = this.#victim(random);
    const durationMs = random.pick([5, 50, 300, 1_500]) + random.exponential(50);
    if (!catalogue[kind](this.#context, { random, member, durationMs })) return;
    this.counts[kind] = (this.counts[kind] ?? 0) + 1;
    this.#world.note(member.host, `fault:${kind}`, number);
  }

  /** Whoever leads more often than others: most of what can go wrong begins with the end of a leader. */
  #victim(random: SeededRandom): SimulatedMember {
    const leader = random.chance(1, 3) ? this.#fleet.leader() : null;
    return leader?.member ?? random.pick(this.#fleet.members);
  }

  #makeContext(): FaultContext {
    const context: FaultContext = {
      world: this.#world,
      fleet: this.#fleet,
      plan: this.#plan,
      atlas: this.atlas,
      impose: (fault, durationMs) => {
        this.#networkFaults.add(fault);
        this.#scheduler.setTimer(durationMs, () => {
          fault.heal();
          this.#networkFaults.delete(fault);
        });
      },
      undo: (durationMs, work) => {
        const once = (): void => {
          timer.cancel();
          if (this.#undoing.delete(once)) work();
        };
        const timer = this.#scheduler.setTimer(durationMs, once);
        this.#undoing.add(once);
      },
      atNext: (moment, strike) => {
        if (this.#armed[moment].length < armedMax) this.#armed[moment].push(strike);
      },
      revive: (member, afterMs) => this.#scheduler.setTimer(afterMs, () => member.start()),
      violate: this.#violate,
    };
    return context;
  }
}
