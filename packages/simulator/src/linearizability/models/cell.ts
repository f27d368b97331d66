/** The state of the included models: one value, boxed because `null`, a value, is not a state. */
export interface Cell<Value> {
  readonly value: Value;
}

/** What a register or key can hold; compared by `===`. */
export type Scalar = number | string | boolean | null;

export function sameCell(a: Cell<Scalar>, b: Cell<Scalar>): boolean {
  return a.value === b.value;
}

/** How many characters of a string are hashed, from its end: appends differ there. */
const HASHED_CHARACTERS = 128;

export function hashCell(cell: Cell<Scalar>): number {
  const { value } = cell;
  if (typeof value === "number") return Number.isInteger(value) ? value >>> 0 : 0x2545f491;
  if (typeof value !== "string") return value === null ? 0x1b873593 : value ? 1 : 0;
  let hash = value.length;
  for (let at = Math.max(0, value.length - HASHED_CHARACTERS); at < value.length; at += 1) {
    hash = Math.imul(hash, 31) + value.charCodeAt(at);
  }
  return hash >>> 0;
}

/** As a programmer writes it: strings quoted, so that "1" and 1 differ. */
export function show(value: Scalar): string {
  return JSON.stringify(value);
}

/** Programs in plain JavaScript can pair a call with another call's answer; say so instead of judging nonsense. */
export function mismatch(model: string, input: { readonly kind: string }, output: { readonly kind: string }): TypeError {
  return new TypeError(`Model ${model}: a ${input.kind} was given the answer of a ${output.kind}; record each answer with its own call.`);
}
