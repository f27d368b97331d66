import type { RaftCoreOptions } from "../../src/index.js";
import type { SimulatedCluster } from "./cluster.js";
import { type Action, drawActions, drawClockRates, drawOptions, runSchedule, type Schedule, type Weights } from "./schedule.js";
import { Seeded } from "./seeded.js";

/** What a family of schedules is like. */
export interface Profile {
  readonly weights: Weights;
  readonly voters: readonly number[];
  /** Nodes besides the founders. */
  readonly others: number;
  readonly options?: RaftCoreOptions;
  readonly actions: number;
}

/** How many more schedules a long run tries: `OCTOPII_TEST_LONG=1`, or a number. */
export const effort: number = process.env.OCTOPII_TEST_LONG === "1" ? 20 : Number(process.env.OCTOPII_TEST_LONG ?? 1) || 1;

/** Where the seeds begin: the same in every ordinary run; `OCTOPII_TEST_SEED=n` for others. */
const firstSeed: number = Number(process.env.OCTOPII_TEST_SEED ?? 1) || 1;

export function scheduleOf(seed: number, profile: Profile): Schedule {
  const random = new Seeded(seed);
  const options = drawOptions(random, profile.options ?? {});
  const voters = random.pick(profile.voters);
  const nodes = voters + profile.others;
  const setup = { seed, voters, nodes, options, clockRates: drawClockRates(random, nodes, options) };
  return { setup, actions: drawActions(random, profile.weights, profile.actions) };
}

/**
 * Runs schedules of consecutive seeds. @throws with the seed, what went wrong, and as few of the schedule's actions as still make it go wrong.
 * @returns how often each kind of trace event came.
 */
export function explore(profile: Profile, count: number): Map<string, number> {
  const seen = new Map<string, number>();
  const gather = (cluster: SimulatedCluster): void => {
    for (const [name, times] of cluster.seen) seen.set(name, (seen.get(name) ?? 0) + times);
  };
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const schedule = scheduleOf(seed, profile);
    const violation = runSchedule(schedule, gather);
    if (violation !== null) throw new Error(explain(seed, schedule));
  }
  return seen;
}

function explain(seed: number, schedule: Schedule): string {
  const shrunk = process.env.OCTOPII_TEST_SHRINK === "0" ? schedule : shrink(schedule);
  const { voters, nodes, options, clockRates } = schedule.setup;
  const steps = shrunk.actions.map(({ name, a, b }) => `  ${name} ${a} ${b}`);
  return [
    `seed ${seed}: ${runSchedule(shrunk)?.message}`,
    `${voters} voters, ${nodes} nodes, clocks ${clockRates.join(" ")}, ${JSON.stringify(options)}`,
    `${shrunk.actions.length} of ${schedule.actions.length} actions:`,
    ...steps,
  ].join("\n");
}

/** Leaves out what is not needed for the schedule to go wrong, in ever smaller pieces. */
export function shrink(schedule: Schedule): Schedule {
  let kept: readonly Action[] = schedule.actions;
  let runs = 0;
  for (let size = Math.ceil(kept.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let at = 0; at < kept.length && runs < 600; runs++) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + size)];
      if (runSchedule({ ...schedule, actions: fewer }) === null) at += size;
      else kept = fewer;
    }
  }
  return { ...schedule, actions: kept };
}
