import type { Entry, Index } from "./raft.js";

/** What an entry weighs besides its data, roughly. */
const overheadBytes = 8;

/** How much of the committed log may be with the state machine at once. */
export class ApplyWindow {
  readonly #bytesMax: number;
  #bytes = 0;
  #isPaused = false;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get isPaused(): boolean {
    return this.#isPaused;
  }

  /** How many of `entries` may go, at least one. */
  count(entries: readonly Entry[]): number {
    let bytes = this.#bytes;
    let count = 0;
    for (const entry of entries) {
      bytes += bytesOf([entry]);
      if (bytes > this.#bytesMax && count > 0) break;
      count++;
    }
    return count;
  }

  /** `entries` go to the state machine. @param committed - up to where more could follow. */
  taken(entries: readonly Entry[], committed: Index): number {
    const bytes = bytesOf(entries);
    this.#bytes += bytes;
    const last = entries[entries.length - 1];
    this.#isPaused = this.#bytes >= this.#bytesMax || (last !== undefined && last.index < committed);
    return bytes;
  }

  applied(bytes: number): void {
    this.#bytes -= bytes;
    this.#isPaused = this.#bytes >= this.#bytesMax;
  }
}

function bytesOf(entries: readonly Entry[]): number {
  return entries.reduce((sum, { data }) => sum + data.length + overheadBytes, 0);
}
