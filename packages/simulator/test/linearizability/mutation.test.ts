import { describe, expect, it } from "vitest";
import { checkLinearizability, type Operation, registerModel, storeModel } from "../../src/linearizability/index.js";
import { seeded } from "./seeded.js";
import { registerHistory, storeHistory } from "./workloads.js";

const SEEDS = Array.from({ length: 30 }, (_, index) => index + 1);
const SHAPE = { operations: 200, clients: 4, unknownPercent: 2 };

type Keyed = { kind: string; value?: unknown; key?: string };

/** Two reads of one key whose answers cannot both be exchanged: the later saw a write called after the earlier returned. */
function readsToSwap<Input extends Keyed, Output extends Keyed>(
  history: readonly Operation<Input, Output>[],
): readonly [Operation<Input, Output>, Operation<Input, Output>] | undefined {
  const isRead = (operation: Operation<Input, Output>) => operation.output !== undefined && "value" in operation.output;
  for (const earlier of history.filter(isRead)) {
    for (const later of history.filter(isRead)) {
      const source = history.find((each) => each.input.value === later.output?.value && each.input.kind !== "get");
      if (later.input.key !== earlier.input.key || later.output?.value === earlier.output?.value) continue;
      if (source !== undefined && source.call > earlier.return) return [earlier, later];
    }
  }
  return undefined;
}

function swap<Input extends Keyed, Output extends Keyed>(history: readonly Operation<Input, Output>[]): Operation<Input, Output>[] {
  const pair = readsToSwap(history);
  if (pair === undefined) throw new RangeError("the history has no reads to exchange");
  const [earlier, later] = pair;
  return history.map((each) => {
    if (each === earlier) return { ...each, output: later.output };
    return each === later ? { ...each, output: earlier.output } : each;
  });
}

describe("a valid history with the answers of two reads exchanged", () => {
  it.each(SEEDS)("is caught on a register, seed %i", (seed) => {
    const history = registerHistory(seeded(seed), SHAPE);
    expect(checkLinearizability(registerModel(), history).verdict).toBe("linearizable");
    expect(checkLinearizability(registerModel(), swap(history)).verdict).toBe("violation");
  });

  it.each(SEEDS)("is caught on a store of three keys, seed %i", (seed) => {
    const history = storeHistory(seeded(seed), SHAPE, ["a", "b", "c"]);
    expect(checkLinearizability(storeModel(), history).verdict).toBe("linearizable");
    expect(checkLinearizability(storeModel(), swap(history)).verdict).toBe("violation");
  });
});
