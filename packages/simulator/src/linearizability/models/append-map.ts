import type { JepsenCodec } from "../jepsen.js";
import { type Model, type Operation, partitionBy } from "../model.js";
import { type Cell, hashCell, mismatch, sameCell, show } from "./cell.js";
import { shareInputs } from "./simplify.js";

/** A call on a map of strings; a key that was never written holds the empty string. */
export type AppendMapInput =
  | { readonly kind: "get"; readonly key: string }
  | { readonly kind: "put"; readonly key: string; readonly value: string }
  | { readonly kind: "append"; readonly key: string; readonly value: string };

/** The map's answer. */
export type AppendMapOutput = { readonly kind: "get"; readonly value: string } | { readonly kind: "put" } | { readonly kind: "append" };

const NAME = "append map";

/**
 * Keys with get, put and append. Appends make the sharpest test: one read shows the whole order of writes. Partitioned by key;
 * a state is one key's value.
 */
export function appendMapModel(): Model<Cell<string>, AppendMapInput, AppendMapOutput> {
  return {
    name: NAME,
    init: () => ({ value: "" }),
    step,
    equal: sameCell,
    hash: hashCell,
    isReadOnly: (input) => input.kind === "get",
    isOverwrite: (input) => input.kind === "put",
    partition: (history) => partitionBy(history, (input) => input.key),
    simplify,
    describe,
    describeState: (state) => show(state.value),
  };
}

/** `get`, `put` and `append` with `[key value]`. */
export const appendMapJepsen: JepsenCodec<AppendMapInput, AppendMapOutput> = {
  invoke: (input) => ({ f: input.kind, value: [input.key, input.kind === "get" ? null : input.value] }),
  complete: (input, output) => ({
    type: "ok",
    value: [input.key, output.kind === "get" ? output.value : input.kind === "get" ? null : input.value],
  }),
};

function step(state: Cell<string>, input: AppendMapInput, output: AppendMapOutput | undefined): Cell<string> | null {
  if (output !== undefined && output.kind !== input.kind) throw mismatch(NAME, input, output);
  if (input.kind === "get") return output?.kind !== "get" || output.value === state.value ? state : null;
  return { value: input.kind === "put" ? input.value : state.value + input.value };
}

/** Of one key: a value that stands in no answer was not written, or nobody looked before the next put; either way it may be left out. */
function simplify(history: readonly Operation<AppendMapInput, AppendMapOutput>[]): readonly (AppendMapInput | undefined)[] {
  const answers = new Set<string>();
  for (const { output } of history) if (output?.kind === "get") answers.add(output.value);
  const shown = (value: string): boolean => [...answers].some((answer) => answer.includes(value));
  return shareInputs(history, (input) => {
    if (input.kind === "get" || !shown(input.value)) return undefined;
    return JSON.stringify([input.kind, input.value]);
  });
}

function describe(input: AppendMapInput, output: AppendMapOutput | undefined): string {
  if (input.kind === "get") return `get ${show(input.key)} -> ${output?.kind === "get" ? show(output.value) : "?"}`;
  return `${input.kind} ${show(input.key)} ${show(input.value)}${output === undefined ? " -> ?" : ""}`;
}
