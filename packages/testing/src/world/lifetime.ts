import { hashText } from "../random/seeding.js";
import type { SimulatedEvent } from "./simulated-event.js";

/** Whether the callbacks of a process run, wait, or are gone for good. */
export type LifetimeState = "running" | "paused" | "dead";

/**
 * What an event belongs to: one life of one simulated process, or the world itself. When the life ends its events vanish without
 * running; while it is paused they wait.
 */
export class Lifetime {
  /** The node's name, as in the trace. */
  readonly name: string;
  readonly nameHash: number;
  /** What stands for a process id in messages; 0 for the world. */
  readonly pid: number;
  state: LifetimeState = "running";
  /** Events that came due while paused, in order. */
  held: SimulatedEvent[] = [];

  constructor(name: string, pid: number) {
    this.name = name;
    this.pid = pid;
    this.nameHash = hashText(name);
  }

  get alive(): boolean {
    return this.state !== "dead";
  }
}
