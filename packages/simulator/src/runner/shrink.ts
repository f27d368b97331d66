import type { ClusterPlan, Kept } from "../plan/plan.js";
import type { ClusterRunResult, RunFailure } from "../run/options.js";

/** What a try of a plan came to. */
export type Trial = Pick<ClusterRunResult, "failure" | "last" | "faults" | "changes" | "events">;

/** Runs a plan. Null: it gave no result. */
export type Attempt = (plan: ClusterPlan) => Promise<Trial | null>;

/** How far shrinking may go. */
export interface ShrinkLimits {
  /** So many runs are tried at most. */
  readonly attempts: number;
  /** True when it is time to stop. */
  readonly isOver: () => boolean;
}

/** A run that fails as the original does, and is as small as could be found. */
export interface Shrunk {
  readonly plan: ClusterPlan;
  readonly trial: Trial;
  readonly attempts: number;
}

/**
 * Makes a failing run smaller: fewer operations, nodes and clients, milder conditions, then single faults, acts of the operator and operations
 * left out. Whatever breaks the same promise is kept. Source: ddmin, Zeller and Hildebrandt 2002.
 * @returns null if the original does not fail again.
 */
export async function shrink(original: ClusterPlan, failure: RunFailure, attempt: Attempt, limits: ShrinkLimits): Promise<Shrunk | null> {
  const trial = await attempt(original);
  if (trial === null || trial.failure?.oracle !== failure.oracle) return null;
  const search = new Search({ plan: original, trial, attempts: 1 }, attempt, limits);
  for (let round = 0; round < 2; round++) {
    await search.halveOperations();
    await search.simplify();
    for (const which of ["faults", "changes", "operations"] as const) await search.leaveOut(which);
  }
  return search.best;
}

/** Milder values, each tried by itself. */
const milder: readonly Partial<ClusterPlan>[] = [
  { nodes: 1 },
  { nodes: 3 },
  { nodes: 5 },
  { clients: 1, remoteClients: 0 },
  { clients: 2, remoteClients: 0 },
  { remoteClients: 0 },
  { keys: 1 },
  { learners: 0, spares: 0 },
  { valueBytes: 0 },
  { lossPerMillion: 0 },
  { duplicatePerMillion: 0 },
  { clockSkewMax: 0 },
  { electionDelays: [0] },
  { mixed: false },
  { repairs: false },
  { coreFirst: false },
  { meanDelayMs: 0.2 },
];

class Search {
  best: Shrunk;
  readonly #attempt: Attempt;
  readonly #limits: ShrinkLimits;

  constructor(best: Shrunk, attempt: Attempt, limits: ShrinkLimits) {
    this.best = best;
    this.#attempt = attempt;
    this.#limits = limits;
  }

  async halveOperations(): Promise<void> {
    for (let operations = this.best.plan.operations >> 1; operations > 0; operations >>= 1) if (!(await this.#try({ operations }))) return;
  }

  async simplify(): Promise<void> {
    for (const change of milder) if (isMilder(change, this.best.plan)) await this.#try(change);
  }

  /** Leaves single ones out, first in large groups, from the end. */
  async leaveOut(which: keyof Kept): Promise<void> {
    const { plan, trial } = this.best;
    let kept: readonly number[] = plan.keep[which] ?? Array.from({ length: trial.last[which] }, (_, i) => i + 1);
    for (let size = kept.length; size >= 1; size = Math.floor(size / 2)) {
      for (let end = kept.length; end > 0; end -= size) {
        if (this.#isOver()) return;
        const left = kept.filter((_, at) => at < end - size || at >= end);
        if (await this.#try({ keep: { ...this.best.plan.keep, [which]: left } })) kept = left;
      }
    }
  }

  async #try(change: Partial<ClusterPlan>): Promise<boolean> {
    if (this.#isOver()) return false;
    const attempts = this.best.attempts + 1;
    const plan = { ...this.best.plan, ...change };
    const trial = await this.#attempt(plan);
    const isSame = trial !== null && trial.failure?.oracle === this.best.trial.failure?.oracle;
    this.best = isSame ? { plan, trial, attempts } : { ...this.best, attempts };
    return isSame;
  }

  #isOver(): boolean {
    return this.best.attempts >= this.#limits.attempts || this.#limits.isOver();
  }
}

function isMilder(change: Partial<ClusterPlan>, plan: ClusterPlan): boolean {
  if (change.nodes !== undefined) return change.nodes < plan.nodes;
  if (change.clients !== undefined) return change.clients < plan.clients;
  return Object.keys(differences({ ...plan, ...change }, plan)).length > 0;
}

/** What of a plan differs from what its seed draws: all that is needed to repeat it. */
export function differences(plan: ClusterPlan, drawn: ClusterPlan): Partial<ClusterPlan> {
  const changed = Object.entries(plan).filter(
    ([name, value]) => JSON.stringify(value) !== JSON.stringify(drawn[name as keyof ClusterPlan]),
  );
  return Object.fromEntries(changed);
}
