import type { Entry } from "../../src/index.js";

/** Entries from `first` on, of the given terms, each with `size` bytes. */
export const entries = (first: number, terms: readonly number[], size = 0): Entry[] =>
  terms.map((term, at) => ({ index: first + at, term, kind: "command", data: new Uint8Array(size) }));
