import type { Message } from "../../src/index.js";
import { SimulatedCluster } from "../property/cluster.js";
import type { StoredSnapshot } from "../property/disk.js";
import { scheduleOf } from "../property/explore.js";
import type { SimulatedReplica } from "../property/replica.js";
import { act, plainWeights } from "../property/schedule.js";
import { Seeded } from "../property/seeded.js";
import { Violation } from "../property/violation.js";
import type { Victim } from "./plausible.js";

/** How many real messages are kept for replays. */
const rememberedMax = 400;

/** A working group that is shot at. */
export class Siege {
  readonly cluster: BesiegedCluster;
  readonly random: Seeded;
  readonly #actions: ReturnType<typeof scheduleOf>["actions"];
  #next = 0;
  injected = 0;

  constructor(seed: number, Cluster: typeof BesiegedCluster) {
    const profile = { weights: plainWeights, voters: [3, 5], others: 0, actions: 500 };
    const { setup, actions } = scheduleOf(seed, profile);
    // With more time to an election, so that there is a leader most of the time.
    this.cluster = new Cluster({ ...setup, options: { ...setup.options, electionTicks: 6 } });
    this.#actions = actions;
    this.random = new Seeded(seed + 1);
    this.cluster.settle(5);
  }

  /** The group's own business goes on. */
  live(count: number): void {
    for (let done = 0; done < count; done++) {
      const action = this.#actions[this.#next++ % this.#actions.length];
      if (action !== undefined) act(this.cluster, action);
    }
  }

  victim(): { replica: SimulatedReplica; victim: Victim } | null {
    const replica = this.random.pick(this.cluster.replicas);
    if (replica.core === null) return null;
    return {
      replica,
      victim: { random: this.random, status: replica.status, members: this.cluster.replicas.length, log: replica.disk.view },
    };
  }

  /** Gives the replica messages in one step. */
  shoot(replica: SimulatedReplica, messages: readonly Message[]): void {
    for (const message of messages) replica.receive(message);
    this.injected += messages.length;
    replica.step();
  }

  /** A message that was really sent once, again. */
  replay(): Message | null {
    return this.cluster.remembered.length === 0 ? null : this.random.pick(this.cluster.remembered);
  }
}

/** A group that is spoken to by strangers. */
export class BesiegedCluster extends SimulatedCluster {
  readonly remembered: Message[] = [];
  /** Answers to those who do not exist. */
  unanswerable = 0;
  #remember = 0;

  override send(message: Message, data: StoredSnapshot | null): void {
    if (message.to > this.replicas.length) {
      this.unanswerable++;
      return;
    }
    // Old ones give way to new ones, at places that go round.
    if (message.type !== "InstallSnapshot") this.remembered[this.#remember++ % rememberedMax] = message;
    super.send(message, data);
  }

  drops(): number {
    let sum = 0;
    for (const [what, times] of this.seen) if (what.startsWith("drop ")) sum += times;
    return sum;
  }
}

/** Runs sieges until so many messages were injected; says the seed if one goes wrong. @param end - after each siege. */
export function besiege(
  { count, perSiege, Cluster }: { count: number; perSiege: number; Cluster: typeof BesiegedCluster },
  run: (siege: Siege) => void,
  end: (siege: Siege) => void,
): Map<string, number> {
  const seen = new Map<string, number>();
  let injected = 0;
  for (let seed = 1; injected < count; seed++) {
    const siege = new Siege(seed, Cluster);
    try {
      while (siege.injected < Math.min(perSiege, count - injected)) run(siege);
      end(siege);
    } catch (error) {
      if (error instanceof Violation) throw new Error(`seed ${seed}, after ${siege.injected} messages: ${error.message}`);
      throw error;
    }
    injected += siege.injected;
    for (const [what, times] of siege.cluster.seen) seen.set(what, (seen.get(what) ?? 0) + times);
  }
  seen.set("injected", injected);
  return seen;
}
