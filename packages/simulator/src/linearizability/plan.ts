import type { Model, Operation } from "./model.js";
import { NONE } from "./timeline.js";

/** One partition made ready for a search, one slot per operation: first those that returned, then the others in order of call. */
export interface Plan<Input, Output> {
  /** As the history has them. */
  readonly operations: readonly Operation<Input, Output>[];
  /** As the model simplified them. */
  readonly inputs: readonly Input[];
  /** How many operations returned. */
  readonly required: number;
  /** 1 for a returned operation that changes nothing. */
  readonly readOnly: Uint8Array;
  /** 1 for an operation whose effect does not depend on the state. */
  readonly overwrite: Uint8Array;
  /**
   * For an operation that never returned: the latest one before it with the same input, or `NONE`. The earlier of two such twins can
   * stand in for the later anywhere, so the later need not be tried before the earlier is used.
   */
  readonly twin: Int32Array;
}

/** @throws {TypeError} if the model's `simplify` drops an operation that returned or does not answer for each. */
export function planSearch<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): Plan<Input, Output> {
  const simplified = model.simplify?.(history) ?? history.map((operation) => operation.input);
  if (simplified.length !== history.length) {
    throw new TypeError(`Model ${model.name} simplified ${history.length} operations to ${simplified.length} inputs; return one for each.`);
  }
  const returned: number[] = [];
  const lost: number[] = [];
  history.forEach((operation, index) => {
    if (operation.return !== Infinity) returned.push(index);
    else if (simplified[index] !== undefined) lost.push(index);
  });
  lost.sort((a, b) => (history[a]?.call ?? 0) - (history[b]?.call ?? 0));
  const slots = [...returned, ...lost];
  const operations = slots.map((index) => history[index] as Operation<Input, Output>);
  const inputs = slots.map((index) => {
    const input = simplified[index];
    if (input === undefined) throw new TypeError(`Model ${model.name} dropped an operation that returned; only unknown outcomes may be.`);
    return input;
  });
  return {
    operations,
    inputs,
    required: returned.length,
    readOnly: Uint8Array.from(inputs, (input, slot) => (slot < returned.length && model.isReadOnly?.(input) === true ? 1 : 0)),
    overwrite: Uint8Array.from(inputs, (input) => (model.isOverwrite?.(input) === true ? 1 : 0)),
    twin: twinsOf(operations, inputs, returned.length),
  };
}

function twinsOf<Input, Output>(operations: readonly Operation<Input, Output>[], inputs: readonly Input[], required: number): Int32Array {
  const twin = new Int32Array(inputs.length).fill(NONE);
  const latest = new Map<Input, number>();
  for (let slot = required; slot < inputs.length; slot += 1) {
    // A known answer that came after the history was cut still tells two equal calls apart.
    if (operations[slot]?.output !== undefined) continue;
    const input = inputs[slot] as Input;
    twin[slot] = latest.get(input) ?? NONE;
    latest.set(input, slot);
  }
  return twin;
}
