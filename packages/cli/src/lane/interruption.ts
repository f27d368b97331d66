import { CliError } from "../errors.js";

/** Aborts at Ctrl-C and SIGTERM; a second one ends the process at once. */
export class Interruption {
  readonly #controller = new AbortController();

  constructor() {
    process.on("SIGINT", this.#onSignal);
    process.on("SIGTERM", this.#onSignal);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  release(): void {
    process.off("SIGINT", this.#onSignal);
    process.off("SIGTERM", this.#onSignal);
  }

  readonly #onSignal = (): void => {
    if (this.signal.aborted) process.exit(1);
    this.#controller.abort(new CliError("OCTOPII_CLI_INTERRUPTED", "Interrupted; what was under way was given up on both sides."));
  };
}
