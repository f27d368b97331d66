import type { Model, Operation } from "../../src/linearizability/index.js";

/** Linearizability straight from its definition: tries every order, remembers nothing. For a handful of operations. */
export function bruteForce<State, Input, Output>(
  model: Model<State, Input, Output>,
  history: readonly Operation<Input, Output>[],
): boolean {
  const parts = model.partition?.(history) ?? new Map([["", history]]);
  return [...parts.values()].every((part) => extend(model, model.init(), part));
}

function extend<State, Input, Output>(
  model: Model<State, Input, Output>,
  state: State,
  left: readonly Operation<Input, Output>[],
): boolean {
  if (left.every((operation) => operation.return === Infinity)) return true;
  return left.some((candidate) => {
    if (left.some((other) => other.return < candidate.call)) return false;
    const next = model.step(state, candidate.input, candidate.output);
    if (next === null) return false;
    return extend(
      model,
      next,
      left.filter((operation) => operation !== candidate),
    );
  });
}
