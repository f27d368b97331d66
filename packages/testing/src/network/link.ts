import type { SeededRandom } from "../random/seeded-random.js";
import { Lifetime } from "../world/lifetime.js";
import type { LinkConfig } from "./options.js";

const MILLION = 1_000_000;

/** One direction between two hosts. Each sort of fault draws from its own numbers, so that removing one leaves the others as they were. */
export class Link {
  readonly from: string;
  readonly to: string;
  /** Owns the arrivals, so that they stand in the trace as the receiver's. Never ends: the network outlives processes. */
  readonly arrivals: Lifetime;
  config: LinkConfig;
  /** How many faults cut this link now. */
  cuts = 0;
  /** How many faults hold its messages back now. */
  clogs = 0;
  /** What waits for the link to become free. */
  held: (() => void)[] = [];
  readonly #delays: SeededRandom;
  readonly #losses: SeededRandom;
  readonly #duplicates: SeededRandom;
  readonly #extraDelays: SeededRandom;

  constructor(from: string, to: string, config: LinkConfig, random: SeededRandom) {
    this.from = from;
    this.to = to;
    this.arrivals = new Lifetime(to, 0);
    this.config = config;
    this.#delays = random.fork("delay");
    this.#losses = random.fork("loss");
    this.#duplicates = random.fork("duplicate");
    this.#extraDelays = random.fork("extra-delay");
  }

  drawDelayUs(): number {
    return this.#delayUs(this.#delays);
  }

  /** The delay of a message that takes a way of its own: a duplicate, or one that was held back. */
  drawExtraDelayUs(): number {
    return this.#delayUs(this.#extraDelays);
  }

  drawLoss(): boolean {
    return this.#losses.chance(this.config.lossPerMillion, MILLION);
  }

  drawDuplicate(): boolean {
    return this.#duplicates.chance(this.config.duplicatePerMillion, MILLION);
  }

  #delayUs(random: SeededRandom): number {
    return Math.round((this.config.minDelayMs + random.exponential(this.config.meanDelayMs)) * 1000);
  }
}
