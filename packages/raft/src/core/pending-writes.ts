import { broken } from "../assert.js";
import type { Message } from "../messages.js";
import type { Index } from "../types.js";

const nothing: readonly Message[] = [];

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
  complete(sequence: number): { lastIndex: Index; promises: readonly Message[] } {
    if (sequence > this.#lastSequence) broken(`storage reported write ${sequence}, the last one was ${this.#lastSequence}`);
    let lastIndex = 0;
    let promises: readonly Message[] = nothing;
    while (true) {
      const write = this.#writes[0];
      if (write === undefined || write.sequence > sequence) return { lastIndex, promises };
      lastIndex = Math.max(lastIndex, write.lastIndex);
      // Most often there is one write, and its list will do.
      promises = promises.length === 0 ? write.promises : promises.concat(write.promises);
      this.#writes.shift();
    }
  }
}
