import type { Clock, Random, Scheduler, Timer } from "@octopii/interfaces";
import { encodePing } from "../wire/frame.js";

/** What {@link Liveness} needs of its connection. */
export interface LivenessHost {
  readonly clock: Clock;
  readonly scheduler: Scheduler;
  readonly random: Random;
  readonly idleTimeoutMs: number;
  /** Sends a small frame. */
  push(frame: Uint8Array): void;
  /** The peer fell silent. */
  silent(): void;
}

/** The weight of a new sample in the smoothed round-trip time (RFC 6298). */
const sampleWeight = 1 / 8;

/** Asks the peer for a sign of life three times in its idle timeout, and measures the round-trip time by the answers. */
export class Liveness {
  roundTripMs: number | null = null;
  readonly #host: LivenessHost;
  #heardAt: number;
  /** Bytes came since the timer last went off: cheaper than asking the clock for each. */
  #isHeard = false;
  #timer: Timer | null = null;
  #token: Uint8Array | null = null;
  #sentAt = 0;

  constructor(host: LivenessHost) {
    this.#host = host;
    this.#heardAt = host.clock.now();
  }

  /** Sends the first probe, and goes on until {@link stop}. */
  start(): void {
    this.#heardAt = this.#host.clock.now();
    this.#probe();
    this.#arm();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Bytes came. */
  heard(): void {
    this.#isHeard = true;
  }

  /** Takes the answer to a probe; one that was not asked for says nothing. */
  answered(token: Uint8Array): void {
    const expected = this.#token;
    if (expected === null || !expected.every((byte, i) => byte === token[i])) return;
    this.#token = null;
    const sample = this.#host.clock.now() - this.#sentAt;
    this.roundTripMs = this.roundTripMs === null ? sample : this.roundTripMs + (sample - this.roundTripMs) * sampleWeight;
  }

  #probe(): void {
    this.#token = this.#host.random.bytes(8);
    this.#sentAt = this.#host.clock.now();
    this.#host.push(encodePing(this.#token));
  }

  #arm(): void {
    const { clock, scheduler, idleTimeoutMs } = this.#host;
    this.#timer = scheduler.setTimer(idleTimeoutMs / 3, () => {
      const now = clock.now();
      if (this.#isHeard) this.#heardAt = now;
      this.#isHeard = false;
      if (now - this.#heardAt >= idleTimeoutMs) {
        this.#host.silent();
        return;
      }
      this.#probe();
      this.#arm();
    });
  }
}
