import { broken } from "../assert.js";
import type { Index, Term, TermRun } from "../types.js";

/**
 * The term of every entry, as runs: a log has few terms and many entries, so this stays small while `termAt` needs no disk,
 * however far back a follower is.
 */
export class TermRuns {
  readonly #firsts: Index[] = [];
  readonly #terms: Term[] = [];

  /** @param runs - oldest first, as storage keeps them; the first begins at the index before the log's first entry. */
  constructor(runs: readonly TermRun[]) {
    for (const run of runs) this.extend(run.firstIndex, run.term);
  }

  /** The term at `index`, which the owner has checked to lie within the log. */
  termAt(index: Index): Term {
    return this.#terms[this.#find(index)] as Term;
  }

  /** Notes that the entry at `index`, next after all known ones, has `term`. */
  extend(index: Index, term: Term): void {
    const last = this.#terms.length - 1;
    if (last >= 0) {
      const lastTerm = this.#terms[last] as Term;
      if (term === lastTerm) return;
      if (term <= lastTerm) broken(`entry ${index} has term ${term} after an entry of term ${lastTerm}`);
    }
    this.#firsts.push(index);
    this.#terms.push(term);
  }

  /** Forgets everything before `index`, which lies within the log. */
  compact(index: Index): void {
    const run = this.#find(index);
    this.#firsts.splice(0, run);
    this.#terms.splice(0, run);
    this.#firsts[0] = index;
  }

  /** Forgets `index` and everything after it. */
  truncate(index: Index): void {
    while (this.#firsts.length > 0 && (this.#firsts[this.#firsts.length - 1] as Index) >= index) {
      this.#firsts.pop();
      this.#terms.pop();
    }
  }

  /** The largest index at or below `index` whose term is at or below `term`; if no term that we know is, the index before all of them. */
  lastIndexNotAbove(term: Term, index: Index): Index {
    let run = this.#find(index);
    let candidate = index;
    while (run >= 0 && (this.#terms[run] as Term) > term) {
      candidate = (this.#firsts[run] as Index) - 1;
      run--;
    }
    return candidate;
  }

  #find(index: Index): number {
    let low = 0;
    let high = this.#firsts.length - 1;
    // The newest run answers nearly every question, so look there first.
    if (index >= (this.#firsts[high] as Index)) return high;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if ((this.#firsts[middle] as Index) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}
