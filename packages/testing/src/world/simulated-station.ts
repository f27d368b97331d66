import type { Clock, Scheduler } from "@octopii/interfaces";
import type { Station } from "../memory-transport/station.js";
import { enterLifetime } from "./enter-lifetime.js";
import type { EventLoop } from "./event-loop.js";
import type { Lifetime } from "./lifetime.js";

/** One life of a simulated process, as its transports see it. */
export class SimulatedStation implements Station {
  readonly host: string;
  readonly scheduler: Scheduler;
  readonly clock: Clock;
  readonly lifetime: Lifetime;
  readonly #loop: EventLoop;

  constructor(host: string, scheduler: Scheduler, clock: Clock, loop: EventLoop, lifetime: Lifetime) {
    this.host = host;
    this.scheduler = scheduler;
    this.clock = clock;
    this.lifetime = lifetime;
    this.#loop = loop;
  }

  readonly enter = (callback: () => void): void => enterLifetime(this.#loop, this.lifetime, callback);

  readonly alive = (): boolean => this.lifetime.alive;
}
