import type { Scheduler, Timer } from "@octopii/interfaces";

/** How often within the idle timeout the peer's silence is looked at. */
const CHECKS = 4;

/** Notices when a peer has fallen silent, and asks for a sign of life before that. Counts checks, so it needs no clock. */
export class Liveness {
  readonly #scheduler: Scheduler;
  readonly #intervalMs: number;
  readonly #ask: () => void;
  readonly #giveUp: () => void;
  #heard = true;
  #silentChecks = 0;
  #timer: Timer | null = null;

  constructor(scheduler: Scheduler, idleTimeoutMs: number, ask: () => void, giveUp: () => void) {
    this.#scheduler = scheduler;
    this.#intervalMs = idleTimeoutMs / CHECKS;
    this.#ask = ask;
    this.#giveUp = giveUp;
  }

  start(): void {
    this.#timer = this.#scheduler.setTimer(this.#intervalMs, () => this.#check());
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heard = true;
  }

  #check(): void {
    this.#silentChecks = this.#heard ? 0 : this.#silentChecks + 1;
    this.#heard = false;
    if (this.#silentChecks >= CHECKS) {
      this.#timer = null;
      this.#giveUp();
      return;
    }
    this.start();
    if (this.#silentChecks > 0) this.#ask();
  }
}
