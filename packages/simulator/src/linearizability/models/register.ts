import type { JepsenCodec } from "../jepsen.js";
import type { Model, Operation } from "../model.js";
import { type Cell, hashCell, mismatch, type Scalar, sameCell, show } from "./cell.js";
import { shareInputs, UNSEEN } from "./simplify.js";

/** A call on a register. */
export type RegisterInput =
  | { readonly kind: "read" }
  | { readonly kind: "write"; readonly value: Scalar }
  | { readonly kind: "cas"; readonly expected: Scalar; readonly value: Scalar };

/** A register's answer; `swapped` says whether the compare-and-set found what it expected. */
export type RegisterOutput =
  | { readonly kind: "read"; readonly value: Scalar }
  | { readonly kind: "write" }
  | { readonly kind: "cas"; readonly swapped: boolean };

const NAME = "register";

/** One register with read, write and compare-and-set, as in Jepsen's etcd test. @param initial - default: `null`. */
export function registerModel(initial: Scalar = null): Model<Cell<Scalar>, RegisterInput, RegisterOutput> {
  return {
    name: NAME,
    init: () => ({ value: initial }),
    step,
    equal: sameCell,
    hash: hashCell,
    isReadOnly: (input) => input.kind === "read",
    isOverwrite: (input) => input.kind === "write",
    simplify,
    describe,
    describeState: (state) => show(state.value),
  };
}

/** `read`, `write` and `cas [expected value]`, as Knossos' cas-register has them. */
export const registerJepsen: JepsenCodec<RegisterInput, RegisterOutput> = {
  invoke: (input) => ({ f: input.kind, value: argument(input) }),
  complete: (input, output) => ({
    type: output.kind === "cas" && !output.swapped ? "fail" : "ok",
    value: output.kind === "read" ? output.value : argument(input),
  }),
};

function argument(input: RegisterInput): Scalar | readonly Scalar[] {
  if (input.kind === "read") return null;
  return input.kind === "write" ? input.value : [input.expected, input.value];
}

function step(state: Cell<Scalar>, input: RegisterInput, output: RegisterOutput | undefined): Cell<Scalar> | null {
  if (output !== undefined && output.kind !== input.kind) throw mismatch(NAME, input, output);
  if (input.kind === "read") return output?.kind !== "read" || output.value === state.value ? state : null;
  if (input.kind === "write") return { value: input.value };
  const swaps = state.value === input.expected;
  if (output?.kind === "cas" && output.swapped !== swaps) return null;
  return swaps ? { value: input.value } : state;
}

function simplify(history: readonly Operation<RegisterInput, RegisterOutput>[]): readonly (RegisterInput | undefined)[] {
  const seen = new Set<Scalar>();
  for (const { input, output } of history) {
    if (output?.kind === "read") seen.add(output.value);
    if (input.kind === "cas") seen.add(input.expected);
  }
  return shareInputs(history, (input) => {
    if (input.kind === "read") return undefined;
    if (input.kind === "write") return seen.has(input.value) ? identity(input.value) : UNSEEN;
    return `${identity(input.expected)} ${identity(input.value)}`;
  });
}

/** Unlike JSON, keeps infinity and null apart. */
function identity(value: Scalar): string {
  return typeof value === "string" ? JSON.stringify(value) : String(value);
}

function describe(input: RegisterInput, output: RegisterOutput | undefined): string {
  if (input.kind === "read") return `read -> ${output?.kind === "read" ? show(output.value) : "?"}`;
  if (input.kind === "write") return `write ${show(input.value)}${output === undefined ? " -> ?" : ""}`;
  return `cas ${show(input.expected)} to ${show(input.value)} -> ${output?.kind === "cas" ? (output.swapped ? "swapped" : "refused") : "?"}`;
}
