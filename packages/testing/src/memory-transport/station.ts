import type { Clock, Scheduler } from "@octopii/interfaces";

/** One process, as the transport sees it: where it is, its time, and the way its events begin. */
export interface Station {
  readonly host: string;
  readonly scheduler: Scheduler;
  /** Null: round trips are not measured. */
  readonly clock: Clock | null;
  /** Runs `callback` as an event of this process: now, later if it is paused, never if it is dead. */
  readonly enter: (callback: () => void) => void;
  /** False once the process died. */
  readonly alive: () => boolean;
}

/** Carries packets between stations. */
export interface Wire {
  /**
   * Runs `arrive` once, later, in any order with others; or not at all if the sender dies, or `abandoned` says that nobody cares any
   * more. A wire that loses packets sends them again until then.
   * @param bytes - the size of the packet, roughly.
   */
  send(from: Station, toHost: string, arrive: () => void, abandoned: () => boolean, bytes?: number): void;
}
