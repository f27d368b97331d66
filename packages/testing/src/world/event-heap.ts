import type { SimulatedEvent } from "./simulated-event.js";

const INITIAL_CAPACITY = 256;
const COMPACTION_MINIMUM = 1024;

/**
 * A binary heap of events, ordered by time and then by rank. Keys lie in typed arrays beside the events, because reading a double
 * from an object's field allocates.
 */
export class EventHeap {
  #times = new Float64Array(INITIAL_CAPACITY);
  #ranks = new Float64Array(INITIAL_CAPACITY);
  readonly #events: SimulatedEvent[] = [];
  #cancelled = 0;

  get size(): number {
    return this.#events.length;
  }

  /** How many events there are whose time will come, by the name of whose they are; those of the dead are left out. */
  countByOwner(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const { callback, lifetime } of this.#events) {
      if (callback !== null && lifetime.state !== "dead") counts.set(lifetime.name, (counts.get(lifetime.name) ?? 0) + 1);
    }
    return counts;
  }

  /** The time of the first event. Only when there is one. */
  get firstTime(): number {
    return this.#times[0] as number;
  }

  /** The rank of the first event. Only when there is one. */
  get firstRank(): number {
    return this.#ranks[0] as number;
  }

  push(time: number, rank: number, event: SimulatedEvent): void {
    const index = this.#events.length;
    if (index === this.#times.length) this.#grow();
    this.#events.push(event);
    this.#siftUp(index, time, rank, event);
  }

  /** Takes the first event out. */
  pop(): SimulatedEvent | null {
    const events = this.#events;
    const first = events[0];
    const last = events.pop();
    if (first === undefined || last === undefined) return null;
    const size = events.length;
    if (size > 0) this.#siftDown(0, this.#times[size] as number, this.#ranks[size] as number, last);
    if (first.callback === null) this.#cancelled -= 1;
    return first;
  }

  /** Counts an event that was cancelled where it lies; sweeps when most are, so that re-armed timers do not pile up. */
  noteCancelled(): void {
    this.#cancelled += 1;
    if (this.#cancelled > COMPACTION_MINIMUM && this.#cancelled * 2 > this.#events.length) this.#compact();
  }

  #compact(): void {
    const events = this.#events;
    let kept = 0;
    for (let index = 0; index < events.length; index += 1) {
      const event = events[index] as SimulatedEvent;
      if (event.callback === null) continue;
      events[kept] = event;
      this.#times[kept] = this.#times[index] as number;
      this.#ranks[kept] = this.#ranks[index] as number;
      kept += 1;
    }
    events.length = kept;
    this.#cancelled = 0;
    for (let index = (kept >>> 1) - 1; index >= 0; index -= 1) {
      this.#siftDown(index, this.#times[index] as number, this.#ranks[index] as number, events[index] as SimulatedEvent);
    }
  }

  #grow(): void {
    const times = new Float64Array(this.#times.length * 2);
    const ranks = new Float64Array(times.length);
    times.set(this.#times);
    ranks.set(this.#ranks);
    this.#times = times;
    this.#ranks = ranks;
  }

  #siftUp(start: number, time: number, rank: number, event: SimulatedEvent): void {
    let index = start;
    while (index > 0) {
      const parent = (index - 1) >>> 1;
      const parentTime = this.#times[parent] as number;
      if (parentTime < time || (parentTime === time && (this.#ranks[parent] as number) <= rank)) break;
      this.#move(parent, index);
      index = parent;
    }
    this.#place(index, time, rank, event);
  }

  #siftDown(start: number, time: number, rank: number, event: SimulatedEvent): void {
    const size = this.#events.length;
    let index = start;
    for (;;) {
      let child = index * 2 + 1;
      if (child >= size) break;
      if (child + 1 < size && this.#before(child + 1, child)) child += 1;
      const childTime = this.#times[child] as number;
      if (time < childTime || (time === childTime && rank <= (this.#ranks[child] as number))) break;
      this.#move(child, index);
      index = child;
    }
    this.#place(index, time, rank, event);
  }

  #before(left: number, right: number): boolean {
    const difference = (this.#times[left] as number) - (this.#times[right] as number);
    return difference < 0 || (difference === 0 && (this.#ranks[left] as number) < (this.#ranks[right] as number));
  }

  #move(from: number, to: number): void {
    this.#times[to] = this.#times[from] as number;
    this.#ranks[to] = this.#ranks[from] as number;
    this.#events[to] = this.#events[from] as SimulatedEvent;
  }

  #place(index: number, time: number, rank: number, event: SimulatedEvent): void {
    this.#times[index] = time;
    this.#ranks[index] = rank;
    this.#events[index] = event;
  }
}
