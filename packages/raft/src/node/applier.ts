import type { ApplyRange } from "../core/input-output.js";
import type { LogStorage, StateMachine } from "../ports.js";
import type { Entry, GroupId, SnapshotMetadata } from "../types.js";

/** Receives what the state machine made of each entry. */
export interface ApplierEvents<Result> {
  /**
   * Changes of the membership are about to be applied: resolves when it is on stable storage that they are committed. Whoever restarts would
   * otherwise be back in a configuration whose members may have been switched off since. @returns nothing if it is already.
   */
  secureCommit(): Promise<void> | undefined;
  /** @param results - one for each of the commands among `entries`, in order. */
  applied(entries: readonly Entry[], results: readonly Result[]): void;
  /** All of a range is done. @param configurations - those of its entries that change the membership. */
  finished(range: ApplyRange, configurations: readonly Entry[]): void;
  /** The state machine holds the snapshot. */
  restored(snapshot: SnapshotMetadata): void;
  failed(error: unknown): void;
}

/** Feeds committed entries to the state machine, a batch at a time, reading from storage those that memory no longer has. */
export class Applier<Result> {
  readonly #stateMachine: StateMachine<Result>;
  readonly #storage: LogStorage;
  readonly #group: GroupId;
  readonly #batchBytesMax: number;
  readonly #events: ApplierEvents<Result>;
  /** What the state machine is busy with; the next thing waits for it. */
  #running: Promise<void> = Promise.resolve();
  #isBusy = false;
  #superseded = false;
  #stopped = false;

  constructor(
    stateMachine: StateMachine<Result>,
    storage: LogStorage,
    group: GroupId,
    batchBytesMax: number,
    events: ApplierEvents<Result>,
  ) {
    this.#stateMachine = stateMachine;
    this.#storage = storage;
    this.#group = group;
    this.#batchBytesMax = batchBytesMax;
    this.#events = events;
  }

  /** Nothing is being applied or restored: the state is that of the last index that was told. */
  get isIdle(): boolean {
    return !this.#isBusy;
  }

  /** Applies `range`; the core gives the next one only after this has finished. */
  start(range: ApplyRange): void {
    const { entries } = range;
    const configurations: Entry[] = [];
    if (entries === null) {
      this.#run(async () => {
        if (await this.#applyStored(range, configurations)) this.#finished(range, configurations);
      });
    } else if (this.#isBusy) {
      this.#run(async () => {
        if (this.#stopped) return;
        await this.#apply(entries, configurations);
        this.#finished(range, configurations);
      });
    } else this.#applyAtOnce(range, entries, configurations);
  }

  /** Most state machines are synchronous: their batches cost no promise. */
  #applyAtOnce(range: ApplyRange, entries: readonly Entry[], configurations: Entry[]): void {
    if (this.#stopped) return;
    let pending: void | Promise<void>;
    try {
      pending = this.#apply(entries, configurations);
    } catch (error) {
      return this.#events.failed(error);
    }
    if (pending === undefined) return this.#finished(range, configurations);
    this.#run(async () => {
      await pending;
      this.#finished(range, configurations);
    });
  }

  #finished(range: ApplyRange, configurations: readonly Entry[]): void {
    if (!this.#stopped) this.#events.finished(range, configurations);
  }

  /** A snapshot is about to take the place of the log: what is still to be read from it may be gone, and need not be applied any more. */
  supersede(): void {
    this.#superseded = true;
  }

  /** Puts a snapshot in the place of the state, once what is being applied now has come to its end. */
  restore(snapshot: SnapshotMetadata, chunks: AsyncIterable<Uint8Array>): void {
    this.#run(async () => {
      this.#superseded = false;
      if (this.#stopped) return;
      if (this.#stateMachine.restore === undefined) throw new Error("The leader sent a snapshot, but this state machine has no restore.");
      await this.#stateMachine.restore(chunks);
      if (!this.#stopped) this.#events.restored(snapshot);
    });
  }

  /** Resolves when no command is being applied any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  #run(task: () => Promise<void>): void {
    const before = this.#isBusy ? this.#running : null;
    this.#isBusy = true;
    const running = (before === null ? task() : before.then(task)).catch((error: unknown) => {
      if (!this.#stopped) this.#events.failed(error);
    });
    this.#running = running.then(() => {
      if (this.#running === settled) this.#isBusy = false;
    });
    const settled = this.#running;
  }

  /** @returns whether all of the range was applied. */
  async #applyStored(range: ApplyRange, configurations: Entry[]): Promise<boolean> {
    let from = range.from;
    while (from <= range.to) {
      const entries = await this.#storage.read(this.#group, from, range.to, this.#batchBytesMax);
      if (this.#stopped || this.#superseded) return false;
      if (entries[0]?.index !== from) throw new Error(`Storage gave no entry ${from}, though the log reaches ${range.to}.`);
      await this.#apply(entries, configurations);
      from += entries.length;
    }
    return true;
  }

  /** A synchronous state machine costs no promise per batch. */
  #apply(entries: readonly Entry[], configurations: Entry[]): void | Promise<void> {
    if (entries.every(isCommand)) return this.#applyTo(entries, entries);
    for (const entry of entries) if (changesMembership(entry)) configurations.push(entry);
    const commands = entries.filter(isCommand);
    const secured = entries.some(changesMembership) ? this.#events.secureCommit() : undefined;
    return secured === undefined ? this.#applyTo(entries, commands) : secured.then(() => this.#applyTo(entries, commands));
  }

  #applyTo(entries: readonly Entry[], commands: readonly Entry[]): void | Promise<void> {
    const pending = commands.length === 0 ? [] : this.#stateMachine.apply(commands);
    if (!isPromise(pending)) return this.#applied(entries, commands, pending);
    return pending.then((results) => this.#applied(entries, commands, results));
  }

  #applied(entries: readonly Entry[], commands: readonly Entry[], results: readonly Result[]): void {
    if (results.length !== commands.length) {
      throw new Error(`The state machine gave ${results.length} results for ${commands.length} commands; it must give one for each.`);
    }
    if (commands.length < entries.length) this.#stateMachine.membershipApplied?.(entries.filter(changesMembership));
    if (!this.#stopped) this.#events.applied(entries, results);
  }
}

const changesMembership = ({ kind }: Entry): boolean => kind === "configuration" || kind === "founding";
const isCommand = (entry: Entry): boolean => entry.kind === "command";

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T>).then === "function";
}
