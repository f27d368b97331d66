import type { ApplyRange } from "../core/input-output.js";
import type { LogStorage, StateMachine } from "../ports.js";
import type { Entry, GroupId, Index } from "../types.js";

/** Receives what the state machine made of each entry. */
export interface ApplierEvents<Result> {
  /** @param result - undefined for entries that are not commands. */
  applied(entry: Entry, result: Result | undefined): void;
  /** All of a range is done. */
  finished(index: Index): void;
  failed(error: unknown): void;
}

/** Feeds committed entries to the state machine, a batch at a time, reading from storage those that memory no longer has. */
export class Applier<Result> {
  readonly #stateMachine: StateMachine<Result>;
  readonly #storage: LogStorage;
  readonly #group: GroupId;
  readonly #batchBytesMax: number;
  readonly #events: ApplierEvents<Result>;
  #running: Promise<void> | null = null;
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

  /** Applies `range`; the core gives the next one only after this has finished. */
  start(range: ApplyRange): void {
    this.#running = this.#run(range)
      .then(() => {
        if (!this.#stopped) this.#events.finished(range.to);
      })
      .catch((error: unknown) => {
        if (!this.#stopped) this.#events.failed(error);
      });
  }

  /** Resolves when no command is being applied any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(range: ApplyRange): Promise<void> {
    if (range.entries !== null) return this.#apply(range.entries);
    let from = range.from;
    while (from <= range.to && !this.#stopped) {
      const entries = await this.#storage.read(this.#group, from, range.to, this.#batchBytesMax);
      if (entries[0]?.index !== from) throw new Error(`Storage gave no entry ${from}, though the log reaches ${range.to}.`);
      await this.#apply(entries);
      from += entries.length;
    }
  }

  async #apply(entries: readonly Entry[]): Promise<void> {
    const commands = entries.every(isCommand) ? entries : entries.filter(isCommand);
    const pending = commands.length === 0 ? [] : this.#stateMachine.apply(commands);
    // A synchronous state machine costs no promise per batch.
    const results = isPromise(pending) ? await pending : pending;
    if (results.length !== commands.length) {
      throw new Error(`The state machine gave ${results.length} results for ${commands.length} commands; it must give one for each.`);
    }
    if (this.#stopped) return;
    let position = 0;
    for (const entry of entries) this.#events.applied(entry, isCommand(entry) ? results[position++] : undefined);
  }
}

const isCommand = (entry: Entry): boolean => entry.kind === "command";

function isPromise<T>(value: T | Promise<T>): value is Promise<T> {
  return typeof (value as Promise<T>).then === "function";
}
