import type { Clock, Logger } from "@octopii/interfaces";

/** A peer that is refused dials again and again, for as long as nobody mends it. */
const repeatAfterMs = 10 * 60 * 1000;
/** Peers and reasons that are remembered; the words may be the peer's, so they must not gather without end. */
const toldMax = 64;

/**
 * Tells of peers that were refused: whoever dialed hears it from the dial's error, but of a peer that called, nobody else would tell. Each
 * host and reason is a warning once in ten minutes, and otherwise for debugging only.
 */
export class RefusalLog {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #told = new Map<string, number>();

  constructor(clock: Clock, logger: Logger) {
    this.#clock = clock;
    this.#logger = logger;
  }

  /** @param remote - the peer's address, whose port changes with each dial. */
  tell(remote: string, reason: string): void {
    const key = `${remote.replace(/:\d+$/, "")} ${reason}`;
    const now = this.#clock.now();
    const toldAt = this.#told.get(key);
    const isNews = toldAt === undefined || now - toldAt >= repeatAfterMs;
    if (isNews) this.#remember(key, now);
    this.#logger[isNews ? "warn" : "debug"]({ remote, reason }, "refused a peer");
  }

  #remember(key: string, now: number): void {
    this.#told.delete(key);
    for (const oldest of this.#told.keys()) {
      if (this.#told.size < toldMax) break;
      this.#told.delete(oldest);
    }
    this.#told.set(key, now);
  }
}
