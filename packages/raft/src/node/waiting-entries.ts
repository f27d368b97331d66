import type { Index } from "../types.js";
import type { Waiter } from "./waiter.js";

/** Taken slots leave holes at the front of the array; it is compacted when they are most of it. */
const compactAt = 1024;

/** How many slots there may be: more than a leader's uncommitted entries. Who waits for an entry further off is kept apart. */
const slotsMax = 1 << 20;

/** Who waits for which entry to be applied: an array by index, since a leader's entries come and go in order. */
export class WaitingEntries<Value> {
  #slots: (Waiter<Value> | undefined)[] = [];
  #head = 0;
  /** The index that the slot at `#head` stands for. */
  #firstIndex: Index = 0;
  #count = 0;
  /** Those whom another leader's answer sent far from the rest: a peer's word must not decide how much memory this takes. */
  readonly #far = new Map<Index, Waiter<Value>>();

  get count(): number {
    return this.#count + this.#far.size;
  }

  /** How many slots are held, whether somebody waits in them or not. */
  get slots(): number {
    return this.#slots.length;
  }

  /** @returns who stood there before. */
  place(index: Index, waiter: Waiter<Value>): Waiter<Value> | undefined {
    const far = this.#takeFar(index);
    if (this.#count === 0) this.#clear(index);
    if (index < this.#firstIndex) this.#makeRoomBefore(index);
    if (index < this.#firstIndex || index - this.#firstIndex >= slotsMax) {
      this.#far.set(index, waiter);
      return far;
    }
    const slot = this.#head + index - this.#firstIndex;
    while (this.#slots.length <= slot) this.#slots.push(undefined);
    const before = this.#slots[slot];
    this.#slots[slot] = waiter;
    if (before === undefined) this.#count++;
    return before ?? far;
  }

  /** Removes and gives who waits for `index`. */
  take(index: Index): Waiter<Value> | undefined {
    const far = this.#takeFar(index);
    if (far !== undefined) return far;
    const slot = this.#head + index - this.#firstIndex;
    if (this.#count === 0 || slot < this.#head || slot >= this.#slots.length) return undefined;
    const waiter = this.#slots[slot];
    if (waiter !== undefined) {
      this.#slots[slot] = undefined;
      this.#count--;
    }
    // Whoever gave up at the head has left a hole that nobody will take.
    if (this.#slots[this.#head] === undefined) this.#advance();
    return waiter;
  }

  /** Visits everybody, ascending by index but for those far off; `visit` says whether to remove them. */
  sweep(visit: (waiter: Waiter<Value>) => boolean): void {
    for (let slot = this.#head; slot < this.#slots.length; slot++) {
      const waiter = this.#slots[slot];
      if (waiter === undefined || !visit(waiter)) continue;
      this.#slots[slot] = undefined;
      this.#count--;
    }
    for (const [index, waiter] of this.#far) if (visit(waiter)) this.#far.delete(index);
  }

  /** Removes everybody who waits for an entry up to `index`, however many entries that are. */
  dropThrough(index: Index, drop: (waiter: Waiter<Value>) => void): void {
    const end = Math.min(this.#slots.length, this.#head + index - this.#firstIndex + 1);
    for (let slot = this.#head; slot < end; slot++) {
      const waiter = this.#slots[slot];
      if (waiter === undefined) continue;
      this.#slots[slot] = undefined;
      this.#count--;
      drop(waiter);
    }
    this.#advance();
    for (const [at, waiter] of this.#far) {
      if (at > index) continue;
      this.#far.delete(at);
      drop(waiter);
    }
  }

  #takeFar(index: Index): Waiter<Value> | undefined {
    if (this.#far.size === 0) return undefined;
    const waiter = this.#far.get(index);
    if (waiter !== undefined) this.#far.delete(index);
    return waiter;
  }

  #advance(): void {
    while (this.#head < this.#slots.length && this.#slots[this.#head] === undefined) {
      this.#head++;
      this.#firstIndex++;
    }
    if (this.#head > compactAt && this.#head * 2 > this.#slots.length) {
      this.#slots = this.#slots.slice(this.#head);
      this.#head = 0;
    }
  }

  /** Another leader cut the log below what we had placed. */
  #makeRoomBefore(index: Index): void {
    const room = this.#firstIndex - index;
    if (room + this.#slots.length - this.#head > slotsMax) return;
    this.#slots = [...new Array<undefined>(room).fill(undefined), ...this.#slots.slice(this.#head)];
    this.#head = 0;
    this.#firstIndex = index;
  }

  #clear(firstIndex: Index): void {
    this.#slots.length = 0;
    this.#head = 0;
    this.#firstIndex = firstIndex;
  }
}
