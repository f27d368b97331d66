import type { Clock, Scheduler, Timer } from "@octopii/interfaces";

/** Something that ends at a point in time. The queue keeps its place in the entry itself, so that adding one allocates nothing. */
export interface DeadlineEntry {
  /** On the queue's clock, in milliseconds. Not to be changed while queued. */
  readonly deadline: number;
  /** Where the entry stands in the queue; -1 when it is not in it. Belongs to the queue. */
  heapIndex: number;
  /** Called once when the deadline has passed; the entry is no longer queued then. Must not throw. */
  expire(): void;
}

/** The largest delay that every scheduler takes; a later deadline is reached in several steps. */
const longestDelayMs = 2_147_483_647;

/**
 * All deadlines of one endpoint behind a single timer: a binary heap whose entries know their index, so that the common case,
 * removal of an answered call, costs a few comparisons and leaves nothing behind.
 *
 * The timer is not moved when its entry goes away; it then rings for nothing and is set again. So steady traffic with one timeout
 * sets a timer once per timeout, not once per call.
 */
export class DeadlineQueue {
  readonly #clock: Clock;
  readonly #scheduler: Scheduler;
  readonly #heap: DeadlineEntry[] = [];
  #timer: Timer | null = null;
  #ringsAt = 0;

  constructor(clock: Clock, scheduler: Scheduler) {
    this.#clock = clock;
    this.#scheduler = scheduler;
  }

  /** How many entries wait. */
  get size(): number {
    return this.#heap.length;
  }

  add(entry: DeadlineEntry): void {
    this.#heap.push(entry);
    this.#siftUp(entry, this.#heap.length - 1);
    if (entry.heapIndex === 0) this.#arm(entry.deadline);
  }

  /** Takes an entry out; does nothing if it is not in. */
  remove(entry: DeadlineEntry): void {
    const index = entry.heapIndex;
    if (index < 0) return;
    entry.heapIndex = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === entry) return;
    const parent = this.#heap[(index - 1) >> 1];
    if (index > 0 && parent !== undefined && parent.deadline > last.deadline) this.#siftUp(last, index);
    else this.#siftDown(last, index);
  }

  /** Cancels the timer if nothing waits, so that an idle endpoint does not keep the process alive. */
  release(): void {
    if (this.#heap.length > 0 || this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
  }

  #arm(deadline: number): void {
    if (this.#timer !== null) {
      if (this.#ringsAt <= deadline) return;
      this.#timer.cancel();
    }
    const now = this.#clock.now();
    const delayMs = Math.min(longestDelayMs, Math.max(1, Math.ceil(deadline - now)));
    this.#ringsAt = now + delayMs;
    this.#timer = this.#scheduler.setTimer(delayMs, () => this.#ring());
  }

  #ring(): void {
    this.#timer = null;
    const now = this.#clock.now();
    for (let first = this.#heap[0]; first !== undefined && first.deadline <= now; first = this.#heap[0]) {
      this.remove(first);
      first.expire();
    }
    const next = this.#heap[0];
    if (next !== undefined) this.#arm(next.deadline);
  }

  #siftUp(entry: DeadlineEntry, from: number): void {
    const heap = this.#heap;
    let index = from;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.deadline <= entry.deadline) break;
      heap[index] = parent;
      parent.heapIndex = index;
      index = parentIndex;
    }
    heap[index] = entry;
    entry.heapIndex = index;
  }

  #siftDown(entry: DeadlineEntry, from: number): void {
    const heap = this.#heap;
    let index = from;
    for (;;) {
      let childIndex = 2 * index + 1;
      let child = heap[childIndex];
      if (child === undefined) break;
      const right = heap[childIndex + 1];
      if (right !== undefined && right.deadline < child.deadline) {
        child = right;
        childIndex += 1;
      }
      if (entry.deadline <= child.deadline) break;
      heap[index] = child;
      child.heapIndex = index;
      index = childIndex;
    }
    heap[index] = entry;
    entry.heapIndex = index;
  }
}
