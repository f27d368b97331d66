import type { Clock, Scheduler } from "@octopii/interfaces";
import { EarliestTimer } from "./earliest-timer.js";

/** A few probe timeouts, after which the engine sends also beyond its congestion window. */
const lastWordMs = 1_000;

/** When a connection has to be looked at next: by the engine's own timer, by ours for its handshake, keep-alives, and its last word. */
export class ConnectionTimers {
  readonly #clock: Clock;
  readonly #timer: EarliestTimer;
  readonly #keepAliveMs: number;
  readonly #handshakeDeadline: number;
  #keepAliveAt: number;
  #heard = true;
  /** Until when the engine may take to let the word of our close out; null while we have not closed. */
  #lastWordBy: number | null = null;

  /** @param handshakeTimeoutMs - infinite for a dial, which has a deadline of its own that covers more than the handshake. */
  constructor(
    ports: { readonly clock: Clock; readonly scheduler: Scheduler },
    { idleTimeoutMs, handshakeTimeoutMs }: { readonly idleTimeoutMs: number; readonly handshakeTimeoutMs: number },
    onTimer: () => void,
  ) {
    this.#clock = ports.clock;
    this.#timer = new EarliestTimer(ports.clock, ports.scheduler, onTimer);
    const now = this.#clock.now();
    this.#keepAliveMs = idleTimeoutMs / 3;
    this.#keepAliveAt = now + this.#keepAliveMs;
    this.#handshakeDeadline = now + handshakeTimeoutMs;
  }

  /** Something came from the peer. */
  heard(): void {
    this.#heard = true;
  }

  /** Has the timer go off for the first of all deadlines. @param engineTimeoutMs - the engine's, in whole milliseconds, rounded down. */
  set(engineTimeoutMs: number | null, isUnidentified: boolean): void {
    const engineAt = engineTimeoutMs === null ? Number.POSITIVE_INFINITY : this.#clock.now() + engineTimeoutMs + 1;
    const own = this.#lastWordBy ?? (isUnidentified ? this.#handshakeDeadline : this.#keepAliveAt);
    this.#timer.setBy(Math.min(engineAt, own));
  }

  cancel(): void {
    this.#timer.cancel();
  }

  get isHandshakeOver(): boolean {
    return this.#clock.now() >= this.#handshakeDeadline;
  }

  /** Whether it is time for a keep-alive; asking starts the next span. */
  takeKeepAlive(): boolean {
    const now = this.#clock.now();
    if (this.#lastWordBy !== null || now < this.#keepAliveAt) return false;
    const isSilent = !this.#heard;
    this.#heard = false;
    this.#keepAliveAt = now + this.#keepAliveMs;
    return isSilent;
  }

  /** From here on the last word may take its time. @returns false if it was said before. */
  startLastWord(): boolean {
    if (this.#lastWordBy !== null) return false;
    this.#lastWordBy = this.#clock.now() + lastWordMs;
    return true;
  }

  get mayLastWordWait(): boolean {
    return this.#lastWordBy !== null && this.#clock.now() < this.#lastWordBy;
  }
}
