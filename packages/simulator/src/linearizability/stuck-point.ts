import type { Model, Operation } from "./model.js";

/** How many different states a report keeps. */
const MAX_STATES = 8;

/** Why a partition is not linearizable: the earliest return that nothing explains, and how far the search came. */
export interface Evidence<State, Input, Output> {
  /**
   * The history cut just before this operation's return is linearizable; nothing explains the answer that came with that return,
   * given the answers that operations then under way got later.
   */
  readonly stuckAt: Operation<Input, Output>;
  /** The longest order found that holds every operation which returned before `stuckAt` did. */
  readonly longestPrefix: readonly Operation<Input, Output>[];
  /**
   * The state after `longestPrefix`, then up to seven others which the search reached before that return. In the others, one value
   * that no answer shows may stand for another such value.
   */
  readonly states: readonly State[];
  /** Operations called before `stuckAt` returned which `longestPrefix` does not hold and which could matter, `stuckAt` among them. */
  readonly open: readonly Operation<Input, Output>[];
}

/** Remembers the deepest dead end of a search: the one in front of the latest return. */
export class StuckPoint<State, Input, Output> {
  readonly #operations: readonly Operation<Input, Output>[];
  readonly #equal: (a: State, b: State) => boolean;
  #rank = -1;
  #operation = -1;
  #order: Int32Array = new Int32Array(0);
  #states: State[] = [];

  constructor(operations: readonly Operation<Input, Output>[], equal: (a: State, b: State) => boolean) {
    this.#operations = operations;
    this.#equal = equal;
  }

  /** Everything that returned before `operation` did stands in the first `depth` places of `order`, and led to `state`. */
  note(operation: number, rank: number, order: Int32Array, depth: number, state: State): void {
    if (rank < this.#rank) return;
    if (rank > this.#rank) {
      this.#rank = rank;
      this.#operation = operation;
      this.#order = order.slice(0, depth);
      this.#states = [state];
    } else if (depth > this.#order.length) {
      this.#order = order.slice(0, depth);
      this.#states = [state, ...this.#states.filter((known) => !this.#equal(known, state))].slice(0, MAX_STATES);
    } else if (this.#states.length < MAX_STATES && !this.#states.some((known) => this.#equal(known, state))) {
      this.#states.push(state);
    }
  }

  evidence(model: Model<State, Input, Output>): Evidence<State, Input, Output> {
    const taken = new Set(this.#order);
    const stuckAt = this.#operations[this.#operation] as Operation<Input, Output>;
    const longestPrefix = Array.from(this.#order, (index) => this.#operations[index] as Operation<Input, Output>);
    const [searched, ...others] = this.#states as [State, ...State[]];
    return {
      stuckAt,
      longestPrefix,
      states: [replay(model, longestPrefix) ?? searched, ...others],
      open: this.#operations.filter((operation, index) => !taken.has(index) && operation.call <= stuckAt.return),
    };
  }
}

/** The search used simplified inputs; a report shows what the operations themselves lead to. */
function replay<State, Input, Output>(model: Model<State, Input, Output>, order: readonly Operation<Input, Output>[]): State | null {
  let state: State | null = model.init();
  for (const { input, output } of order) {
    if (state === null) return null;
    state = model.step(state, input, output);
  }
  return state;
}
