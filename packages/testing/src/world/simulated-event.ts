import type { Timer } from "@octopii/interfaces";
import { hashText } from "../random/seeding.js";
import type { Lifetime } from "./lifetime.js";

/** What sort of event it is, for the trace. Made once per sort, so that events carry no strings of their own. */
export interface EventKind {
  readonly name: string;
  readonly hash: number;
}

/** Names a sort of event. */
export function eventKind(name: string): EventKind {
  return { name, hash: hashText(name) };
}

/** What an event needs of the heap that it lies in. */
export interface CancellationCounter {
  noteCancelled(): void;
}

/** One thing that will happen. Doubles as the timer that its owner cancels. */
export class SimulatedEvent implements Timer {
  readonly lifetime: Lifetime;
  readonly kind: EventKind;
  readonly detail: number | string;
  /** A turn runs after all that is due at its instant. */
  readonly isTurn: boolean;
  /** Null once it ran or was cancelled. */
  callback: (() => void) | null;
  readonly #counter: CancellationCounter;

  constructor(
    lifetime: Lifetime,
    kind: EventKind,
    detail: number | string,
    isTurn: boolean,
    callback: () => void,
    counter: CancellationCounter,
  ) {
    this.lifetime = lifetime;
    this.kind = kind;
    this.detail = detail;
    this.isTurn = isTurn;
    this.callback = callback;
    this.#counter = counter;
  }

  cancel(): void {
    if (this.callback === null) return;
    this.callback = null;
    this.#counter.noteCancelled();
  }
}
