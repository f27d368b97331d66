import type { ConfigurationChange, MemberChange, RaftCoreOptions, Transition } from "../../src/index.js";
import { type ClusterSetup, SimulatedCluster } from "./cluster.js";
import type { SimulatedReplica } from "./replica.js";
import type { Seeded } from "./seeded.js";
import { Violation } from "./violation.js";

/** Something that happens. What `a` and `b` choose depends on what is there at the time, so any part of a schedule is one as well. */
export interface Action {
  readonly name: ActionName;
  readonly a: number;
  readonly b: number;
}

const pick = <Value>(values: readonly Value[], at: number): Value | undefined => values[at % values.length];
const chosen = (cluster: SimulatedCluster, { a }: Action): SimulatedReplica => pick(cluster.replicas, a) as SimulatedReplica;
/** Mostly whoever leads: others refuse. */
const leading = (cluster: SimulatedCluster, action: Action): SimulatedReplica =>
  (action.b % 8 === 0 ? undefined : pick(cluster.leaders(), action.a)) ?? chosen(cluster, action);
/** Mostly one of the oldest parcels, so that things move on. */
const parcelAt = ({ parcels }: SimulatedCluster, { a, b }: Action): number =>
  a % (b % 4 === 0 ? parcels.length : Math.min(parcels.length, 4));
/** Now and then a turn is late, and takes more at once. */
const stepUnlessLate = (replica: SimulatedReplica | null, { b }: Action): void => {
  if (b % 5 !== 0) replica?.step();
};

/** Others forget in a restart whom they shield, and one of them campaigns at once. */
function usurp(cluster: SimulatedCluster, old: SimulatedReplica, { a }: Action): void {
  const others = cluster.replicas.filter((replica) => replica !== old);
  for (const replica of others) {
    if (a % 4 === 0) continue;
    replica.crash(a % 3);
    replica.start();
  }
  const rival = pick(others, a >> 3);
  if (rival === undefined) return;
  rival.inbox.campaign = true;
  rival.step();
}

const kinds: readonly MemberChange["type"][] = ["addVoter", "addVoter", "addLearner", "removeNode", "updateNode"];

function changeOf(cluster: SimulatedCluster, { a, b }: Action): ConfigurationChange {
  const step = (draw: number): MemberChange => ({
    type: pick(kinds, draw >> 4) as MemberChange["type"],
    nodeId: 1 + (draw % cluster.replicas.length),
  });
  if (a % 6 === 0) return { transition: "auto", changes: [] };
  const transition = pick<Transition>(["auto", "auto", "implicit", "explicit"], a >> 8) as Transition;
  return { transition, changes: Array.from({ length: 1 + (b % 3) }, (_, at) => step((a ^ (b << at)) >>> at)) };
}

const actions = {
  deliver: (cluster, action) => stepUnlessLate(cluster.deliver(parcelAt(cluster, action)), action),
  lose: (cluster, action) => cluster.lose(parcelAt(cluster, action)),
  duplicate: (cluster, action) => cluster.duplicate(parcelAt(cluster, action)),
  write: (cluster, action) => {
    const replica = chosen(cluster, action);
    for (let count = 1 + (action.b % 2); count > 0; count--) replica.completeWrite();
    stepUnlessLate(replica, action);
  },
  work: (cluster, action) => {
    const replica = chosen(cluster, action);
    replica.work();
    stepUnlessLate(replica, action);
  },
  fetch: (cluster, action) => {
    chosen(cluster, action).completeFetch();
    stepUnlessLate(chosen(cluster, action), action);
  },
  time: (cluster, { a, b }) => cluster.advance((1 + (a % 8)) / 8, (id) => b % 16 === id),
  propose: (cluster, action) => {
    const replica = leading(cluster, action);
    replica.propose(Array.from({ length: 1 + (action.b % 3) }, () => cluster.command()));
    stepUnlessLate(replica, action);
  },
  read: (cluster, action) => {
    const replica = action.b % 2 === 0 ? leading(cluster, action) : chosen(cluster, action);
    replica.read(action.b % 4 < 3);
    stepUnlessLate(replica, action);
  },
  crash: (cluster, action) => chosen(cluster, action).crash(action.b % 4),
  bounce: (cluster, action) => {
    chosen(cluster, action).crash(action.b % 4);
    chosen(cluster, action).start();
  },
  restart: (cluster, { a }) => {
    pick(
      cluster.replicas.filter(({ core }) => core === null),
      a,
    )?.start();
  },
  partition: (cluster, { a }) => {
    cluster.cut = new Set(cluster.replicas.filter(({ id }) => ((a >> id) & 1) === 1).map(({ id }) => id));
  },
  isolate: (cluster, action) => {
    cluster.cut = new Set([leading(cluster, action).id]);
  },
  heal: (cluster) => {
    cluster.cut = new Set();
  },
  change: (cluster, action) => {
    const replica = leading(cluster, action);
    cluster.change(replica, changeOf(cluster, action), action.b % 2 === 0);
    replica.step();
  },
  transfer: (cluster, action) => {
    const replica = leading(cluster, action);
    replica.inbox.transferTo = 1 + (action.b % cluster.replicas.length);
    replica.step();
  },
  campaign: (cluster, action) => {
    chosen(cluster, action).inbox.campaign = true;
    chosen(cluster, action).step();
  },
  forget: (cluster, action) => {
    chosen(cluster, action).inbox.forgetLeader = true;
    chosen(cluster, action).step();
  },
  unreachable: (cluster, action) => {
    const replica = leading(cluster, action);
    replica.inbox.unreachable.push(1 + (action.b % cluster.replicas.length));
    replica.step();
  },
  snapshot: (cluster, action) => chosen(cluster, action).takeSnapshot(action.b % 4),
  store: (cluster, action) => {
    chosen(cluster, action).finishSnapshot();
    stepUnlessLate(chosen(cluster, action), action);
  },
  settle: (cluster, { a }) => cluster.settle(1 + (a % 6)),
  tickAll: (cluster) => {
    for (let tick = 0; tick < 4; tick++) {
      cluster.advance(1, () => false);
      cluster.settle(3);
    }
  },
  /** A leader is cut off, and asked by lease all the while in which the others elect the next one and write. */
  depose: (cluster, action) => {
    const old = leading(cluster, action);
    cluster.cut = new Set([old.id]);
    if (action.b % 3 === 0) usurp(cluster, old, action);
    const length = 8 * (4 + (action.b % 12));
    for (let part = 0; part < length; part++) {
      cluster.advance(1 / 8, () => false);
      cluster.settle(8);
      for (const leader of cluster.leaders()) if (leader !== old) leader.propose([cluster.command()]);
      for (const leader of cluster.leaders()) leader.step();
      cluster.settle(4);
      old.read(true);
      old.step();
    }
  },
} satisfies Record<string, (cluster: SimulatedCluster, action: Action) => void>;

export type ActionName = keyof typeof actions;

/** How often each action comes, relative to the others. */
export type Weights = Readonly<Partial<Record<ActionName, number>>>;

export const plainWeights: Weights = {
  ...{ deliver: 44, lose: 3, duplicate: 3, write: 18, work: 10, fetch: 3, time: 12, propose: 8, read: 3, settle: 2, tickAll: 2 },
  ...{ crash: 1, restart: 2, partition: 1, heal: 1, transfer: 0.5, campaign: 0.7, forget: 0.3, unreachable: 0.5 },
};

/** A whole run: what it starts from, and what happens. */
export interface Schedule {
  readonly setup: ClusterSetup;
  readonly actions: readonly Action[];
}

export function drawActions(random: Seeded, weights: Weights, count: number): Action[] {
  const names = Object.keys(weights) as ActionName[];
  const total = names.reduce((sum, name) => sum + (weights[name] ?? 0), 0);
  const draw = (): ActionName => {
    let at = (random.uint32() / 2 ** 32) * total;
    for (const name of names) {
      at -= weights[name] ?? 0;
      if (at < 0) return name;
    }
    return "deliver";
  };
  return Array.from({ length: count }, () => ({ name: draw(), a: random.uint32() >>> 1, b: random.uint32() >>> 1 }));
}

/** Options that bring every limit within reach. */
export function drawOptions(random: Seeded, given: RaftCoreOptions): RaftCoreOptions {
  const electionTicks = random.pick([3, 4, 6]);
  const checkQuorum = random.chance(0.75);
  return {
    electionTicks,
    heartbeatTicks: random.pick([1, 1, 2]),
    preVote: random.chance(0.6),
    checkQuorum,
    electionDelayTicks: random.pick([0, 0, 2]),
    leaseReads: checkQuorum && random.chance(0.5),
    clockDriftMax: random.pick([0, 0.1, 0.3]),
    appendBytesMax: random.pick([1, 60, 1000]),
    inflightCountMax: random.pick([1, 2, 100]),
    eagerAppendsMax: random.pick([1, 2, 4]),
    inflightBytesMax: random.pick([1, 100, 10_000]),
    entryBytesMax: 100,
    uncommittedBytesMax: random.pick([300, 2000, 100_000]),
    cacheBytesMax: random.pick([1, 800, 100_000]),
    applyBytesMax: random.pick([1, 40, 1000]),
    pendingReadsMax: random.pick([1, 3, 100]),
    ...given,
  };
}

/** Clocks that differ by no more than the options allow. */
export function drawClockRates(random: Seeded, nodes: number, { clockDriftMax = 0 }: RaftCoreOptions): number[] {
  const slowest = Math.sqrt(1 - clockDriftMax);
  return Array.from({ length: nodes }, () => random.pick([slowest, 1, 1 / slowest]));
}

export function act(cluster: SimulatedCluster, action: Action): void {
  actions[action.name](cluster, action);
}

/** @returns what went wrong, or null. */
export function runSchedule({ setup, actions: list }: Schedule, onEnd?: (cluster: SimulatedCluster) => void): Violation | null {
  try {
    const cluster = new SimulatedCluster(setup);
    for (const action of list) act(cluster, action);
    cluster.recover(150 * (setup.options.electionTicks ?? 10));
    onEnd?.(cluster);
    return null;
  } catch (error) {
    if (error instanceof Violation) return error;
    return new Violation(`the test itself threw: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
