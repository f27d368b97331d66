import type { Scheduler, Timer } from "@octopii/interfaces";

/** What fits into the system's timers. */
const longestWaitMs = 2 ** 31 - 1;

/** Who came first. */
export interface RaceWon<Value> {
  /** Which start it was. */
  readonly position: number;
  readonly value: Value;
}

/** Nobody came in time, or everybody failed. */
export class RaceLost extends Error {
  /** What each start failed with; `undefined` where it was still on its way, or had not begun, when time was up. */
  readonly failures: readonly unknown[];

  constructor(failures: readonly unknown[]) {
    super("No start succeeded.");
    this.name = "RaceLost";
    this.failures = failures;
  }
}

/** The limits of a race. */
export interface RaceOptions {
  /** How long a start runs alone before the next one begins; at once if it fails sooner. */
  readonly headStartMs: number;
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
}

/**
 * Begins one thing after another, each with a head start before the next, until one succeeds. The others are left to their own end: what
 * comes of them is their owner's business. Source: RFC 8305 section 5.
 * @throws {RaceLost} when all have failed, or time is up; the signal's reason when it is aborted.
 */
export function race<Value>(
  starts: readonly (() => Promise<Value>)[],
  scheduler: Scheduler,
  options: RaceOptions,
): Promise<RaceWon<Value>> {
  return new Promise((resolve, reject) => new Race(starts, scheduler, options, resolve, reject).begin());
}

class Race<Value> {
  readonly #starts: readonly (() => Promise<Value>)[];
  readonly #scheduler: Scheduler;
  readonly #options: RaceOptions;
  readonly #resolve: (won: RaceWon<Value>) => void;
  readonly #reject: (error: unknown) => void;
  readonly #failures: unknown[];
  #begun = 0;
  #failed = 0;
  #isOver = false;
  #headStart: Timer | null = null;
  #deadline: Timer | null = null;

  constructor(
    starts: readonly (() => Promise<Value>)[],
    scheduler: Scheduler,
    options: RaceOptions,
    resolve: (won: RaceWon<Value>) => void,
    reject: (error: unknown) => void,
  ) {
    this.#starts = starts;
    this.#scheduler = scheduler;
    this.#options = options;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#failures = starts.map(() => undefined);
  }

  begin(): void {
    const { timeoutMs, signal } = this.#options;
    signal?.addEventListener("abort", this.#onAbort, { once: true });
    this.#deadline = this.#scheduler.setTimer(Math.min(timeoutMs, longestWaitMs), () => this.#lose(new RaceLost(this.#failures)));
    this.#startNext();
  }

  #startNext(): void {
    this.#headStart?.cancel();
    this.#headStart = null;
    const position = this.#begun++;
    const start = this.#starts[position];
    if (start === undefined) return;
    start().then(
      (value) => {
        if (this.#finish()) this.#resolve({ position, value });
      },
      (error: unknown) => this.#onFailure(position, error),
    );
    this.#headStart = this.#scheduler.setTimer(this.#options.headStartMs, () => this.#startNext());
  }

  #onFailure(position: number, error: unknown): void {
    if (this.#isOver) return;
    this.#failures[position] = error;
    this.#failed += 1;
    if (this.#failed === this.#starts.length) this.#lose(new RaceLost(this.#failures));
    else if (position === this.#begun - 1) this.#startNext();
  }

  readonly #onAbort = (): void => this.#lose(this.#options.signal?.reason);

  #lose(error: unknown): void {
    if (this.#finish()) this.#reject(error);
  }

  /** @returns false if it was over already. */
  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#headStart?.cancel();
    this.#deadline?.cancel();
    this.#options.signal?.removeEventListener("abort", this.#onAbort);
    return true;
  }
}
