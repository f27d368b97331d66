import type { JepsenCodec, JepsenValue } from "../jepsen.js";
import { type Model, type Operation, partitionBy } from "../model.js";
import { type Cell, hashCell, mismatch, sameCell, show } from "./cell.js";
import { shareInputs, UNSEEN } from "./simplify.js";

/** A call on a key-value store of strings. `null` stands for "no such key", as expected value and as new value. */
export type StoreInput =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  | { readonly kind: "delete"; readonly key: string }
  | { readonly kind: "compare-and-set"; readonly key: string; readonly expected: string | null; readonly value: string | null };

/** The store's answer. */
export type StoreOutput =
  | { readonly kind: "get"; readonly value: string | null }
  | { readonly kind: "put" }
  /** `existed`: whether there was something to delete; left out if the store does not say. */
  | { readonly kind: "delete"; readonly existed?: boolean }
  | { readonly kind: "compare-and-set"; readonly swapped: boolean };

const NAME = "store";

/** Keys with get, put, delete and compare-and-set: the store that Octopii's own clusters run. Partitioned by key. */
export function storeModel(): Model<Cell<string | null>, StoreInput, StoreOutput> {
  return {
    name: NAME,
    init: () => ({ value: null }),
    step,
    equal: sameCell,
    hash: hashCell,
    isReadOnly: (input) => input.kind === "get",
    isOverwrite: (input) => input.kind === "put" || input.kind === "delete",
    partition: (history) => partitionBy(history, (input) => input.key),
    simplify,
    describe,
    describeState: (state) => show(state.value),
  };
}

/** As registers under independent keys, so that Knossos' cas-register judges each: a delete is a write of nil. */
export const storeJepsen: JepsenCodec<StoreInput, StoreOutput> = {
  invoke: (input) => ({ f: jepsenNames[input.kind], value: [input.key, argument(input)] }),
  complete: (input, output) => ({
    type: output.kind === "compare-and-set" && !output.swapped ? "fail" : "ok",
    value: [input.key, output.kind === "get" ? output.value : argument(input)],
  }),
};

const jepsenNames = { get: "read", put: "write", delete: "write", "compare-and-set": "cas" } as const;

function argument(input: StoreInput): JepsenValue {
  if (input.kind === "put") return input.value;
  return input.kind === "compare-and-set" ? [input.expected, input.value] : null;
}

function step(state: Cell<string | null>, input: StoreInput, output: StoreOutput | undefined): Cell<string | null> | null {
  if (output !== undefined && output.kind !== input.kind) throw mismatch(NAME, input, output);
  switch (input.kind) {
    case "get":
      return output?.kind !== "get" || output.value === state.value ? state : null;
    case "put":
      return { value: input.value };
    case "delete": {
      const existed = output?.kind === "delete" ? output.existed : undefined;
      return existed === undefined || existed === (state.value !== null) ? { value: null } : null;
    }
    case "compare-and-set": {
      const swaps = state.value === input.expected;
      if (output?.kind === "compare-and-set" && output.swapped !== swaps) return null;
      return swaps ? { value: input.value } : state;
    }
  }
}

/** Of one key: a delete that says whether there was something tells no two values apart. */
function simplify(history: readonly Operation<StoreInput, StoreOutput>[]): readonly (StoreInput | undefined)[] {
  const seen = new Set<string | null>();
  for (const { input, output } of history) {
    if (output?.kind === "get") seen.add(output.value);
    if (input.kind === "compare-and-set") seen.add(input.expected);
  }
  return shareInputs(history, (input) => {
    if (input.kind === "get") return undefined;
    return input.kind === "put" && !seen.has(input.value) ? UNSEEN : JSON.stringify(argument(input));
  });
}

function describe(input: StoreInput, output: StoreOutput | undefined): string {
  const call = `${input.kind} ${show(input.key)}`;
  switch (input.kind) {
    case "get":
      return `${call} -> ${output?.kind === "get" ? show(output.value) : "?"}`;
    case "put":
      return `${call} ${show(input.value)}${output === undefined ? " -> ?" : ""}`;
    case "delete": {
      if (output?.kind !== "delete") return `${call} -> ?`;
      return output.existed === undefined ? call : `${call} -> ${output.existed ? "deleted" : "nothing there"}`;
    }
    case "compare-and-set": {
      const answer = output?.kind === "compare-and-set" ? (output.swapped ? "swapped" : "refused") : "?";
      return `${call} ${show(input.expected)} to ${show(input.value)} -> ${answer}`;
    }
  }
}
