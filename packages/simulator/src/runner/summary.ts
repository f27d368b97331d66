import { missingMarks } from "../run/marks.js";
import type { ClusterRunResult } from "../run/options.js";

/** A seed that did not come to a good end. `oracle` says which promise was broken. */
export interface SeedFailure {
  readonly seed: number;
  readonly oracle: string;
  readonly message: string;
}

/** What a number of seeds came to, together. */
export interface SimulationSummary {
  readonly passed: number;
  readonly failed: number;
  readonly start: number;
  readonly operations: number;
  readonly acknowledged: number;
  readonly events: number;
  readonly faults: Readonly<Record<string, number>>;
  readonly changes: Readonly<Record<string, number>>;
  readonly reached: Readonly<Record<string, number>>;
  /** Marks that no seed has hit. */
  readonly missing: readonly string[];
  readonly failures: readonly SeedFailure[];
  /** Over the hashes of all runs in order of their seeds: equal for equal ranges, however the work was shared out. */
  readonly hash: string;
}

/** Adds runs up, in whatever order they come in. */
export class SummaryBuilder {
  readonly #start: number;
  #finished = 0;
  #operations = 0;
  #acknowledged = 0;
  #events = 0;
  readonly #faults: Record<string, number> = {};
  readonly #changes: Record<string, number> = {};
  readonly #reached: Record<string, number> = {};
  readonly #failures: SeedFailure[] = [];
  #hashLow = 0;
  #hashHigh = 0;

  constructor(start: number) {
    this.#start = start;
  }

  get finished(): number {
    return this.#finished;
  }

  get failed(): number {
    return this.#failures.length;
  }

  add(result: ClusterRunResult): void {
    this.#finished++;
    this.#operations += result.operations;
    this.#acknowledged += result.acknowledged;
    this.#events += result.events;
    addCounts(this.#faults, result.faults);
    addCounts(this.#changes, result.changes);
    addCounts(this.#reached, result.reached);
    if (result.failure !== null) this.#failures.push({ seed: result.seed, ...result.failure });
    // Each hash is turned by its seed's place, so that the sum does not depend on the order but does on who had which.
    const place = (result.seed - this.#start) * 2 + 1;
    this.#hashLow = (this.#hashLow + Math.imul(Number.parseInt(result.hash.slice(8), 16), place)) >>> 0;
    this.#hashHigh = (this.#hashHigh + Math.imul(Number.parseInt(result.hash.slice(0, 8), 16), place)) >>> 0;
  }

  /** A seed that gave no result at all: it hung, or its process died. */
  addLost(failure: SeedFailure): void {
    this.#finished++;
    this.#failures.push(failure);
  }

  /** A failure beside the seed's own verdict, such as a second run that differs. */
  addFailure(failure: SeedFailure): void {
    this.#failures.push(failure);
  }

  summary(): SimulationSummary {
    const failures = [...this.#failures].sort((a, b) => a.seed - b.seed);
    const failed = new Set(failures.map(({ seed }) => seed)).size;
    return {
      passed: this.#finished - failed,
      failed,
      start: this.#start,
      operations: this.#operations,
      acknowledged: this.#acknowledged,
      events: this.#events,
      faults: this.#faults,
      changes: this.#changes,
      reached: this.#reached,
      missing: missingMarks({ reached: this.#reached, faults: this.#faults, changes: this.#changes }),
      failures,
      hash: this.#hashHigh.toString(16).padStart(8, "0") + this.#hashLow.toString(16).padStart(8, "0"),
    };
  }
}

function addCounts(sum: Record<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [kind, count] of Object.entries(counts)) sum[kind] = (sum[kind] ?? 0) + count;
}

/** The verdict as one line. */
export function summaryLine(summary: SimulationSummary): string {
  const seeds = summary.passed + summary.failed;
  const operations = `${summary.operations} operations (${summary.acknowledged} acknowledged)`;
  const kinds = Object.entries(summary.faults).sort(([a], [b]) => (a < b ? -1 : 1));
  const faults = kinds.reduce((sum, [, count]) => sum + count, 0);
  const byKind = kinds.map(([kind, count]) => `${kind} ${count}`).join(", ");
  const configurations = `${summary.reached.configurations ?? 0} configurations`;
  const counts = `${seeds} seeds from ${summary.start}, ${operations}, ${faults} faults${faults === 0 ? "" : ` (${byKind})`}, ${configurations}`;
  return `${counts}, ${summary.failed} failures, hash ${summary.hash}`;
}
