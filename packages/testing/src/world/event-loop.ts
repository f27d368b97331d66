import type { SeededRandom } from "../random/seeded-random.js";
import { EventHeap } from "./event-heap.js";
import type { Lifetime } from "./lifetime.js";
import { type EventKind, SimulatedEvent } from "./simulated-event.js";
import type { Trace } from "./trace.js";

const RANKS_PER_PHASE = 2 ** 32;

/** Why the loop stopped for good. */
export interface EventFailure {
  readonly code: "OCTOPII_TESTING_EVENT_THREW" | "OCTOPII_TESTING_STANDSTILL";
  readonly error: unknown;
  readonly node: string;
  readonly kind: string;
  readonly timeMs: number;
}

/**
 * The virtual event loop. Time is counted in whole microseconds.
 *
 * An instant has phases, as a turn of Node's loop has: in even phases what is due happens, in an order that the seed shuffles; in odd
 * ones the turns that were asked for before. What is asked for in a phase for the same instant lands in the same phase if that is
 * sensible, else in the next of its sort.
 */
export class EventLoop {
  /** Virtual microseconds since the world began. */
  now = 0;
  /** Events that ran. */
  executed = 0;
  /** Set by the first event that threw; nothing runs after it. */
  failure: EventFailure | null = null;
  readonly trace: Trace;
  readonly #heap = new EventHeap();
  readonly #order: SeededRandom;
  readonly #maxEventsPerInstant: number;
  #phase = 0;
  #eventsAtInstant = 0;

  constructor(order: SeededRandom, trace: Trace, maxEventsPerInstant: number) {
    this.#order = order;
    this.trace = trace;
    this.#maxEventsPerInstant = maxEventsPerInstant;
  }

  /** Nothing is left in the queue. */
  get idle(): boolean {
    return this.#heap.size === 0;
  }

  /** What is due later, counted by process. */
  pendingByProcess(): Map<string, number> {
    return this.#heap.countByOwner();
  }

  /** Has `callback` run as a thing that is due `delayUs` from now: a timer, a completion, an arrival. */
  post(delayUs: number, lifetime: Lifetime, kind: EventKind, detail: number | string, callback: () => void): SimulatedEvent {
    const event = new SimulatedEvent(lifetime, kind, detail, false, callback, this.#heap);
    this.#insert(delayUs, event);
    return event;
  }

  /** Has `callback` run after everything that is due at this instant. */
  postTurn(lifetime: Lifetime, kind: EventKind, callback: () => void): SimulatedEvent {
    const event = new SimulatedEvent(lifetime, kind, 0, true, callback, this.#heap);
    this.#insert(0, event);
    return event;
  }

  /** Puts events that were held back into the queue again, due now. */
  repost(events: readonly SimulatedEvent[]): void {
    for (const event of events) if (event.callback !== null) this.#insert(0, event);
  }

  /** Runs the next event that is due by `limitUs`. False if there is none. */
  step(limitUs: number): boolean {
    const heap = this.#heap;
    while (heap.size > 0 && heap.firstTime <= limitUs) {
      const time = heap.firstTime;
      const rank = heap.firstRank;
      const event = heap.pop();
      if (event === null || event.callback === null || event.lifetime.state === "dead") continue;
      if (event.lifetime.state === "paused") {
        event.lifetime.held.push(event);
        continue;
      }
      this.#enter(time, rank, event);
      if (this.failure === null) this.#execute(event, event.callback);
      return true;
    }
    return false;
  }

  /** Moves time to `timeUs`, where nothing earlier is left to do. */
  advanceTo(timeUs: number): void {
    if (timeUs <= this.now) return;
    this.now = timeUs;
    this.#phase = 0;
    this.#eventsAtInstant = 0;
  }

  #insert(delayUs: number, event: SimulatedEvent): void {
    let phase = 0;
    if (delayUs <= 0) {
      const turnsRunning = this.#phase % 2 === 1;
      phase = event.isTurn ? this.#phase + (turnsRunning ? 2 : 1) : this.#phase + (turnsRunning ? 1 : 0);
    }
    this.#heap.push(this.now + Math.max(0, delayUs), phase * RANKS_PER_PHASE + this.#order.uint32(), event);
  }

  #enter(time: number, rank: number, event: SimulatedEvent): void {
    this.advanceTo(time);
    this.#phase = Math.floor(rank / RANKS_PER_PHASE);
    this.#eventsAtInstant += 1;
    if (this.#eventsAtInstant <= this.#maxEventsPerInstant) return;
    const words = `time stands still: ${this.#eventsAtInstant} events in one instant; something re-arms itself without a delay`;
    this.#fail("OCTOPII_TESTING_STANDSTILL", new Error(words), event);
  }

  #execute(event: SimulatedEvent, callback: () => void): void {
    const { lifetime, kind } = event;
    event.callback = null;
    this.executed += 1;
    this.trace.event(this.now, lifetime.name, lifetime.nameHash, kind.name, kind.hash, event.detail);
    try {
      callback();
    } catch (error) {
      this.#fail("OCTOPII_TESTING_EVENT_THREW", error, event);
    }
  }

  #fail(code: EventFailure["code"], error: unknown, event: SimulatedEvent): void {
    this.failure ??= { code, error, node: event.lifetime.name, kind: event.kind.name, timeMs: this.now / 1000 };
    this.trace.note(this.now, event.lifetime.name, "failure", String(error));
  }
}
