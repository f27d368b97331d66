import type { Operation } from "./model.js";

/** No entry: the end of a list. */
export const NONE = -1;

/**
 * The calls and returns of one partition in order of time, as two doubly linked lists from which an operation can be lifted
 * and into which it can be put back in O(1) (Wing and Gong 1993; the links are those of Knuth's "dancing links").
 *
 * Operations are numbered: `[0, required)` have returned, so each linearization must contain them; `[required, size)` never
 * returned, so a linearization may leave them out. Entry `i` is the call of operation `i`, entry `size + i` its return.
 * The first list holds calls and returns of required operations, the second only the calls of optional ones.
 */
export class Timeline {
  readonly size: number;
  readonly required: number;
  readonly #next: Int32Array;
  readonly #previous: Int32Array;
  readonly #rank: Int32Array;
  readonly #requiredHead: number;
  readonly #optionalHead: number;

  /** @param operations - those that returned first, then the others. */
  constructor(operations: readonly Operation<unknown, unknown>[], required: number) {
    const size = operations.length;
    this.size = size;
    this.required = required;
    this.#requiredHead = 2 * size;
    this.#optionalHead = 2 * size + 1;
    this.#next = new Int32Array(2 * size + 2);
    this.#previous = new Int32Array(2 * size + 2);
    this.#rank = new Int32Array(2 * size);
    this.#link(sortedEntries(operations, required));
  }

  /** The earliest entry of a required operation, or `NONE`. */
  firstRequired(): number {
    return this.#entryOrNone(this.#next[this.#requiredHead] as number);
  }

  /** The earliest call of an optional operation, or `NONE`. */
  firstOptional(): number {
    return this.#entryOrNone(this.#next[this.#optionalHead] as number);
  }

  /** The entry after `entry` in its list, or `NONE`. */
  after(entry: number): number {
    return this.#entryOrNone(this.#next[entry] as number);
  }

  isReturn(entry: number): boolean {
    return entry >= this.size;
  }

  /** The operation that `entry` is the call or the return of. */
  operationOf(entry: number): number {
    return entry >= this.size ? entry - this.size : entry;
  }

  /** The place of an entry among all entries of both lists. */
  rank(entry: number): number {
    return this.#rank[entry] as number;
  }

  /** The earliest return that has not been lifted, or `NONE`. */
  firstReturn(): number {
    let entry = this.firstRequired();
    while (entry !== NONE && entry < this.size) entry = this.after(entry);
    return entry;
  }

  /** Takes an operation out: it has been linearized. */
  lift(operation: number): void {
    this.#unlink(operation);
    if (operation < this.required) this.#unlink(this.size + operation);
  }

  /** Undoes the latest `lift` that has not been undone, which must have been of `operation`. */
  unlift(operation: number): void {
    if (operation < this.required) this.#relink(this.size + operation);
    this.#relink(operation);
  }

  #entryOrNone(entry: number): number {
    return entry >= this.#requiredHead ? NONE : entry;
  }

  #link(entries: Int32Array): void {
    let lastRequired = this.#requiredHead;
    let lastOptional = this.#optionalHead;
    for (let rank = 0; rank < entries.length; rank += 1) {
      const entry = entries[rank] as number;
      this.#rank[entry] = rank;
      const isRequired = this.operationOf(entry) < this.required;
      const last = isRequired ? lastRequired : lastOptional;
      this.#next[last] = entry;
      this.#previous[entry] = last;
      if (isRequired) lastRequired = entry;
      else lastOptional = entry;
    }
    this.#close(this.#requiredHead, lastRequired);
    this.#close(this.#optionalHead, lastOptional);
  }

  #close(head: number, last: number): void {
    this.#next[last] = head;
    this.#previous[head] = last;
  }

  #unlink(entry: number): void {
    const next = this.#next[entry] as number;
    const previous = this.#previous[entry] as number;
    this.#next[previous] = next;
    this.#previous[next] = previous;
  }

  #relink(entry: number): void {
    this.#next[this.#previous[entry] as number] = entry;
    this.#previous[this.#next[entry] as number] = entry;
  }
}

/** Calls before returns in one instant, so that operations which only touch count as concurrent. */
function sortedEntries(operations: readonly Operation<unknown, unknown>[], required: number): Int32Array {
  const size = operations.length;
  const times = new Float64Array(2 * size);
  operations.forEach((operation, index) => {
    times[index] = operation.call;
    times[size + index] = operation.return;
  });
  const entries = new Int32Array(size + required);
  for (let index = 0; index < size + required; index += 1) entries[index] = index;
  return entries.sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
}
