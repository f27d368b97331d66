import { LaneError } from "../errors.js";

/** So many at once; more wait for their turn, in order, up to a limit. */
export class Slots {
  readonly #activeMax: number;
  readonly #waitingMax: number;
  readonly #waiting = new Set<() => void>();
  #active = 0;

  constructor(activeMax: number, waitingMax: number) {
    this.#activeMax = activeMax;
    this.#waitingMax = waitingMax;
  }

  get isIdle(): boolean {
    return this.#active === 0 && this.#waiting.size === 0;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Resolves when it is our turn. @throws {LaneError} `BUSY`; the signal's reason */
  async enter(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#active < this.#activeMax) {
      this.#active += 1;
      return;
    }
    if (this.#waiting.size >= this.#waitingMax) {
      const message = `${this.#active} transfers are under way on this connection and ${this.#waiting.size} wait already (maxWaitingPerConnection); send this one later.`;
      throw new LaneError("OCTOPII_LANE_BUSY", message);
    }
    await new Promise<void>((resolve, reject) => {
      const aborted = (): void => {
        this.#waiting.delete(proceed);
        reject(signal.reason);
      };
      const proceed = (): void => {
        signal.removeEventListener("abort", aborted);
        resolve();
      };
      this.#waiting.add(proceed);
      signal.addEventListener("abort", aborted, { once: true });
    });
  }

  /** Gives the turn to whoever waits longest. */
  leave(): void {
    for (const proceed of this.#waiting) {
      this.#waiting.delete(proceed);
      return proceed();
    }
    this.#active -= 1;
  }
}
