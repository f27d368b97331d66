import { ConfigurationCache } from "./configuration-cache.js";
import { LinearizedSet } from "./linearized-set.js";
import type { Model, Operation } from "./model.js";
import { type Plan, planSearch } from "./plan.js";
import { type Evidence, StuckPoint } from "./stuck-point.js";
import { NONE, Timeline } from "./timeline.js";

/** What a search of one partition came to. */
export type SearchOutcome<State, Input, Output> =
  | { readonly verdict: "linearizable"; readonly steps: number; readonly order: readonly Operation<Input, Output>[] }
  | { readonly verdict: "violation"; readonly steps: number; readonly evidence: Evidence<State, Input, Output> }
  | { readonly verdict: "unknown"; readonly steps: number };

/** Bounds on the work and memory of one search. */
export interface SearchLimits {
  readonly maxSteps: number;
  readonly maxCacheBytes: number;
}

const REFUSED = 0;
const TAKEN = 1;
const DEAD_END = 2;
const EXHAUSTED = 3;
type Attempt = typeof REFUSED | typeof TAKEN | typeof DEAD_END | typeof EXHAUSTED;

/** Looks for one order of `operations` that the model allows and that respects real time. */
export function searchLinearization<State, Input, Output>(
  model: Model<State, Input, Output>,
  operations: readonly Operation<Input, Output>[],
  limits: SearchLimits,
): SearchOutcome<State, Input, Output> {
  return new Search(model, operations, limits).run();
}

/**
 * The search of Wing and Gong (1993) with Lowe's memory of configurations (2017), as Porcupine arranges it: take the first call
 * that may come next and that the model allows, lift it, start again at the front; where a return stands first that was
 * not taken, undo the latest choice and go on behind it. Iterative, so long histories cannot exhaust the stack.
 *
 * Beyond that: operations that never returned are optional and tried last, one that leaves the state as it is never; and a
 * read-only operation is taken without an alternative, since any order in which it comes later allows it here as well.
 */
class Search<State, Input, Output> {
  readonly #model: Model<State, Input, Output>;
  readonly #equal: (a: State, b: State) => boolean;
  readonly #limits: SearchLimits;
  readonly #plan: Plan<Input, Output>;
  readonly #timeline: Timeline;
  readonly #linearized: LinearizedSet;
  readonly #cache: ConfigurationCache<State>;
  readonly #stuck: StuckPoint<State, Input, Output>;
  readonly #order: Int32Array;
  readonly #earlierStates: State[] = [];
  #state: State;
  #depth = 0;
  #missing: number;
  #steps = 0;

  constructor(model: Model<State, Input, Output>, history: readonly Operation<Input, Output>[], limits: SearchLimits) {
    const plan = planSearch(model, history);
    const size = plan.operations.length;
    this.#model = model;
    this.#equal = model.equal?.bind(model) ?? Object.is;
    this.#limits = limits;
    this.#plan = plan;
    this.#timeline = new Timeline(plan.operations, plan.required);
    this.#linearized = new LinearizedSet(plan.required, size - plan.required);
    this.#cache = new ConfigurationCache(model, this.#linearized, limits.maxCacheBytes);
    this.#stuck = new StuckPoint(plan.operations, this.#equal);
    this.#order = new Int32Array(size);
    this.#missing = plan.required;
    this.#state = model.init();
  }

  run(): SearchOutcome<State, Input, Output> {
    let from = this.#timeline.firstRequired();
    while (this.#missing > 0) {
      const attempt = this.#takeNext(from);
      if (attempt === EXHAUSTED) return { verdict: "unknown", steps: this.#steps };
      if (attempt === TAKEN) {
        from = this.#timeline.firstRequired();
        continue;
      }
      if (!this.#undo()) return { verdict: "violation", steps: this.#steps, evidence: this.#stuck.evidence(this.#model) };
      from = this.#resumePoint();
    }
    const order = Array.from(this.#order.subarray(0, this.#depth), (index) => this.#plan.operations[index] as Operation<Input, Output>);
    return { verdict: "linearizable", steps: this.#steps, order };
  }

  /** Takes the first allowed operation at or behind entry `from`; optional ones stand behind all required ones. */
  #takeNext(from: number): Attempt {
    const timeline = this.#timeline;
    let entry = from;
    while (entry !== NONE && timeline.operationOf(entry) < timeline.required) {
      if (timeline.isReturn(entry)) {
        this.#stuck.note(timeline.operationOf(entry), timeline.rank(entry), this.#order, this.#depth, this.#state);
        entry = timeline.firstOptional();
        break;
      }
      const attempt = this.#tryRequired(entry);
      if (attempt !== REFUSED) return attempt;
      entry = timeline.after(entry);
    }
    return this.#takeOptional(entry);
  }

  #takeOptional(from: number): Attempt {
    const timeline = this.#timeline;
    if (from === NONE) return DEAD_END;
    const deadline = timeline.rank(timeline.firstReturn());
    for (let entry = from; entry !== NONE && timeline.rank(entry) < deadline; entry = timeline.after(entry)) {
      const attempt = this.#tryOptional(entry);
      if (attempt !== REFUSED) return attempt;
    }
    return DEAD_END;
  }

  #tryRequired(operation: number): Attempt {
    if (this.#steps >= this.#limits.maxSteps) return EXHAUSTED;
    const next = this.#step(operation, this.#state);
    if (next === null || this.#needsNoOptional(operation, next)) return REFUSED;
    if (this.#enter(operation, next)) return TAKEN;
    return this.#plan.readOnly[operation] === 1 ? DEAD_END : REFUSED;
  }

  #tryOptional(operation: number): Attempt {
    if (this.#steps >= this.#limits.maxSteps) return EXHAUSTED;
    // What an overwrite follows at once might as well not have happened.
    if (this.#plan.overwrite[operation] === 1 && this.#latestOptional() !== NONE) return REFUSED;
    const twin = this.#plan.twin[operation] as number;
    if (twin !== NONE && !this.#linearized.has(twin)) return REFUSED;
    const next = this.#step(operation, this.#state);
    if (next === null || this.#equal(next, this.#state)) return REFUSED;
    return this.#enter(operation, next) ? TAKEN : REFUSED;
  }

  /** The operation chosen last if it was an optional one, or `NONE`. */
  #latestOptional(): number {
    const latest = this.#depth === 0 ? NONE : (this.#order[this.#depth - 1] as number);
    return latest < this.#timeline.required ? NONE : latest;
  }

  /**
   * Whether the latest choice was an optional operation that `operation` had no need of: left out, or put behind it, the same state
   * comes about. Both were possible where that choice was made, so the search goes there by another way.
   */
  #needsNoOptional(operation: number, next: State): boolean {
    const optional = this.#latestOptional();
    if (optional === NONE) return false;
    const without = this.#step(operation, this.#earlierStates[this.#depth - 1] as State);
    if (without === null) return false;
    if (this.#equal(without, next)) return true;
    const behind = this.#step(optional, without);
    return behind !== null && this.#equal(behind, next);
  }

  #step(index: number, state: State): State | null {
    this.#steps += 1;
    return this.#model.step(state, this.#plan.inputs[index] as Input, this.#plan.operations[index]?.output);
  }

  #enter(operation: number, next: State): boolean {
    this.#linearized.toggle(operation);
    if (!this.#cache.add(this.#linearized, next)) {
      this.#linearized.toggle(operation);
      return false;
    }
    this.#order[this.#depth] = operation;
    this.#earlierStates.push(this.#state);
    this.#depth += 1;
    this.#state = next;
    this.#timeline.lift(operation);
    if (operation < this.#timeline.required) this.#missing -= 1;
    return true;
  }

  /** Undoes choices up to and including the latest that had an alternative. @returns `false` if there was none. */
  #undo(): boolean {
    while (this.#depth > 0) {
      this.#depth -= 1;
      const operation = this.#order[this.#depth] as number;
      this.#state = this.#earlierStates.pop() as State;
      this.#timeline.unlift(operation);
      this.#linearized.toggle(operation);
      if (operation < this.#timeline.required) this.#missing += 1;
      if (this.#plan.readOnly[operation] !== 1) return true;
    }
    return false;
  }

  /** Behind the operation that `#undo` put back; its place in `#order` still names it. */
  #resumePoint(): number {
    return this.#timeline.after(this.#order[this.#depth] as number);
  }
}
