import { invariant } from "../assert.js";
import type { Message } from "../messages.js";
import type { Index } from "../types.js";

interface PendingWrite {
  readonly sequence: number;
  /** Entries up to here are durable when the write is, as far as later writes have not replaced them. */
  lastIndex: Index;
  readonly promises: readonly Message[];
}

/** Writes that storage has not reported durable, oldest first, and the promises that each of them holds back. */
export class PendingWrites {
  #writes: PendingWrite[] = [];
  #lastSequence = 0;

  get size(): number {
    return this.#writes.length;
  }

  /** @returns the new write's sequence number. */
  add(lastIndex: Index, promises: readonly Message[]): number {
    this.#writes.push({ sequence: ++this.#lastSequence, lastIndex, promises });
    return this.#lastSequence;
  }

  /**
   * Entries from `index` on are about to be replaced: writes in flight say nothing about them any more. Without this, the
   * completion of a first write of some index could pass for that of a third, after a second had replaced it (A→B→A).
   */
  voidFrom(index: Index): void {
    for (const write of this.#writes) if (write.lastIndex >= index) write.lastIndex = index - 1;
  }

  /** A snapshot replaced the log: no write in flight says anything about it. */
  voidAll(): void {
    for (const write of this.#writes) write.lastIndex = 0;
  }

  /** Everything up to `sequence` is durable. @returns the index up to which the log is, and the promises set free, in order. */
  complete(sequence: number): { lastIndex: Index; promises: Message[] } {
    invariant(sequence <= this.#lastSequence, `storage reported write ${sequence}, the last one was ${this.#lastSequence}`);
    let lastIndex = 0;
    const promises: Message[] = [];
    let count = 0;
    for (const write of this.#writes) {
      if (write.sequence > sequence) break;
      lastIndex = Math.max(lastIndex, write.lastIndex);
      for (const message of write.promises) promises.push(message);
      count++;
    }
    this.#writes.splice(0, count);
    return { lastIndex, promises };
  }
}
