import type { Operation } from "../model.js";

/**
 * Gives unknown outcomes of one kind one shared input. @param kindOf - equal strings for inputs with which nobody can tell which of them
 * took effect; `undefined` for one that cannot matter.
 */
export function shareInputs<Input, Output>(
  history: readonly Operation<Input, Output>[],
  kindOf: (input: Input) => string | undefined,
): readonly (Input | undefined)[] {
  const shared = new Map<string, Input>();
  return history.map(({ input, output, return: end }) => {
    if (end !== Infinity || output !== undefined) return input;
    const kind = kindOf(input);
    if (kind === undefined) return undefined;
    const first = shared.get(kind) ?? input;
    shared.set(kind, first);
    return first;
  });
}

/** The kind of all writes whose value no read showed and no compare-and-set expects: one such value is as good as another. */
export const UNSEEN = "unseen";
