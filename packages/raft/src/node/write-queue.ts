import type { LogWrite } from "../core/input-output.js";
import type { LogStorage } from "../ports.js";
import type { GroupId, HardState, SnapshotMetadata } from "../types.js";

/** What became of writes. */
export interface WriteEvents {
  /** Everything up to this sequence is on stable storage. */
  durable(sequence: number): void;
  /** This snapshot has taken the place of the log on stable storage. */
  installed(snapshot: SnapshotMetadata): void;
  failed(error: unknown): void;
}

/** Something that storage is working on. */
interface PendingWrite {
  /** Everything up to here is durable once this is the first that is not. */
  readonly before: number;
  readonly snapshot: SnapshotMetadata | null;
  stored: Promise<void> | undefined;
  isDone: boolean;
}

/**
 * Hands the core's writes to storage, several at a time, and reports how far they are durable. Writes that need no flush of their
 * own (a moved commit index, a promise about what is durable already) ride along with the next one that does.
 */
export class WriteQueue {
  readonly #storage: LogStorage;
  readonly #group: GroupId;
  readonly #events: WriteEvents;
  /** Oldest first. */
  readonly #inFlight: PendingWrite[] = [];
  #lastSequence = 0;
  #carried: HardState | null = null;
  #failed = false;

  constructor(storage: LogStorage, group: GroupId, events: WriteEvents) {
    this.#storage = storage;
    this.#group = group;
    this.#events = events;
  }

  push(write: LogWrite): void {
    this.#lastSequence = write.sequence;
    if (write.lazy) {
      if (write.hardState !== null) this.#carried = write.hardState;
      if (this.#inFlight.length === 0) this.#events.durable(write.sequence);
      return;
    }
    const hardState = write.hardState ?? this.#carried;
    this.#carried = null;
    this.#await(write.sequence - 1, write.snapshot, this.#store(write, hardState));
  }

  /** Stores the carried commit index, so that a restart after a clean close need not wait for the leader to learn it. */
  async settle(): Promise<void> {
    if (this.#carried !== null) await this.flush();
  }

  /** Resolves when all so far, the carried commit index included, is on stable storage. @returns nothing if it is already. */
  flush(): Promise<void> | undefined {
    const carried = this.#carried;
    this.#carried = null;
    if (carried !== null) this.#await(this.#lastSequence, null, this.#storage.append(this.#group, carried, []));
    if (this.#inFlight.length === 0) return undefined;
    return this.#allStored();
  }

  async #allStored(): Promise<void> {
    for (const { stored } of [...this.#inFlight]) await stored;
  }

  #store({ snapshot, entries }: LogWrite, hardState: HardState | null): Promise<void> | undefined {
    if (snapshot === null) return this.#storage.append(this.#group, hardState, entries);
    if (entries.length === 0) return this.#storage.install(this.#group, hardState, snapshot);
    // A crash may come between the two: until the entries are there, nothing is committed beyond the snapshot.
    const ofSnapshot = hardState === null ? null : { ...hardState, commitIndex: Math.min(hardState.commitIndex, snapshot.index) };
    const installed = this.#storage.install(this.#group, ofSnapshot, snapshot);
    const appended = this.#storage.append(this.#group, hardState, entries);
    return appended === undefined ? installed : Promise.all([installed, appended]).then(() => undefined);
  }

  /** What was done at once, or out of turn, still comes after what is on its way. */
  #await(before: number, snapshot: SnapshotMetadata | null, stored: Promise<void> | undefined): void {
    const pending: PendingWrite = { before, snapshot, stored, isDone: stored === undefined };
    this.#inFlight.push(pending);
    if (stored === undefined) return this.#report();
    stored.then(
      () => {
        pending.isDone = true;
        this.#report();
      },
      (error: unknown) => {
        this.#failed = true;
        this.#events.failed(error);
      },
    );
  }

  #report(): void {
    if (this.#failed || this.#inFlight[0]?.isDone !== true) return;
    while (this.#inFlight[0]?.isDone === true) {
      const done = this.#inFlight.shift();
      if (done?.snapshot != null) this.#events.installed(done.snapshot);
    }
    // Lazy writes behind these are as good as done: nothing of theirs has to reach the disk.
    this.#events.durable(this.#inFlight[0]?.before ?? this.#lastSequence);
  }
}
