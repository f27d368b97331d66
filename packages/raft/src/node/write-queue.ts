import type { LogWrite } from "../core/input-output.js";
import type { LogStorage } from "../ports.js";
import type { GroupId, HardState } from "../types.js";

/**
 * Hands the core's writes to storage, several at a time, and reports how far they are durable. Writes that need no flush of their
 * own (a moved commit index, a promise about what is durable already) ride along with the next one that does.
 */
export class WriteQueue {
  readonly #storage: LogStorage;
  readonly #group: GroupId;
  readonly #onDurable: (sequence: number) => void;
  readonly #onFailure: (error: unknown) => void;
  /** Sequences of the writes that storage is working on, oldest first. */
  readonly #inFlight: number[] = [];
  #lastSequence = 0;
  #carried: HardState | null = null;

  constructor(storage: LogStorage, group: GroupId, onDurable: (sequence: number) => void, onFailure: (error: unknown) => void) {
    this.#storage = storage;
    this.#group = group;
    this.#onDurable = onDurable;
    this.#onFailure = onFailure;
  }

  /** Everything that was pushed is durable, but for a carried commit index. */
  get isIdle(): boolean {
    return this.#inFlight.length === 0;
  }

  push(write: LogWrite): void {
    this.#lastSequence = write.sequence;
    if (write.lazy) {
      if (write.hardState !== null) this.#carried = write.hardState;
      if (this.isIdle) this.#onDurable(write.sequence);
      return;
    }
    const hardState = write.hardState ?? this.#carried;
    this.#carried = null;
    this.#inFlight.push(write.sequence);
    this.#storage.append(this.#group, hardState, write.entries).then(() => this.#completed(), this.#onFailure);
  }

  /** Stores the carried commit index, so that a restart after a clean close need not wait for the leader to learn it. */
  async settle(): Promise<void> {
    const carried = this.#carried;
    this.#carried = null;
    if (carried !== null) await this.#storage.append(this.#group, carried, []);
  }

  #completed(): void {
    this.#inFlight.shift();
    // Lazy writes behind this one are as good as done: nothing of theirs has to reach the disk.
    const next = this.#inFlight[0];
    this.#onDurable(next === undefined ? this.#lastSequence : next - 1);
  }
}
