/** A case that did not come out as its data says. */
export interface Failure {
  readonly name: string;
  readonly message: string;
}

/** Where a suite tells how its cases come out. */
export interface Report {
  /** One case came out right. */
  passed(): void;
  /** One case did not. */
  failed(name: string, message: string): void;
  /** Something that people should know and that is no verdict, such as cases that were not run. */
  note(text: string): void;
}

/** What a suite told. */
export interface Summary {
  readonly passed: number;
  readonly failed: number;
  readonly failures: readonly Failure[];
  readonly notes: readonly string[];
}

/** Counts, and passes failures and notes on at once through `print`. */
export class CountingReport implements Report {
  readonly #print: (text: string) => void;
  readonly #failures: Failure[] = [];
  readonly #notes: string[] = [];
  #passed = 0;

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  passed(): void {
    this.#passed++;
  }

  failed(name: string, message: string): void {
    this.#failures.push({ name, message });
    this.#print(`FAILED ${name}\n${message.replace(/^/gm, "    ")}`);
  }

  note(text: string): void {
    this.#notes.push(text);
    this.#print(text);
  }

  summary(): Summary {
    return { passed: this.#passed, failed: this.#failures.length, failures: this.#failures, notes: this.#notes };
  }
}
