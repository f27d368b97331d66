import { TestingError } from "./errors.js";

/** Collects everything that is wrong with a set of options, so that it can be said at once. */
export class OptionProblems {
  readonly #subject: string;
  readonly #problems: string[] = [];

  constructor(subject: string) {
    this.#subject = subject;
  }

  /** Notes a problem unless `value` is an integer in `[low, high]`. */
  integer(name: string, value: number, low: number, high: number): void {
    if (Number.isInteger(value) && value >= low && value <= high) return;
    this.#problems.push(`${name} must be an integer from ${low} to ${high}, not ${value}`);
  }

  /** Notes a problem unless `value` is a finite number in `[low, high]`. */
  number(name: string, value: number, low: number, high: number): void {
    if (value >= low && value <= high) return;
    this.#problems.push(`${name} must be a number from ${low} to ${high}, not ${value}`);
  }

  /** Notes `problem` unless `holds`. */
  check(holds: boolean, problem: string): void {
    if (!holds) this.#problems.push(problem);
  }

  /** @throws {TestingError} `OCTOPII_TESTING_INVALID_OPTIONS` with every problem that was noted, if there is one. */
  throwIfAny(): void {
    if (this.#problems.length === 0) return;
    throw new TestingError("OCTOPII_TESTING_INVALID_OPTIONS", `${this.#subject}: ${this.#problems.join("; ")}.`, {
      details: { problems: [...this.#problems] },
    });
  }
}
