import type { SeededRandom } from "../random/seeded-random.js";
import type { DirectoryNode, Entry } from "./nodes.js";
import type { SurvivalMode } from "./survival.js";

/** One name that gets, changes or loses its entry. */
export interface EntryChange {
  readonly directory: DirectoryNode;
  readonly name: string;
  /** Null: the name goes away. */
  readonly entry: Entry | null;
}

/** Changes of entries that happen together or not at all: a rename is one of two. */
type Operation = readonly EntryChange[];

/** Above this, the oldest go to disk on their own, as a journal commits in time. */
const MAX_PENDING = 4096;

function set(entries: Map<string, Entry>, change: EntryChange): void {
  if (change.entry === null) entries.delete(change.name);
  else entries.set(change.name, change.entry);
}

function key(change: EntryChange): string {
  return `${change.directory.id}/${change.name}`;
}

/** Directory operations that processes see and the disk does not have yet, in order. */
export class DirectoryJournal {
  #pending: Operation[] = [];

  /** The number of operations that a power failure can undo. */
  get pendingOperations(): number {
    return this.#pending.length;
  }

  /** Carries an operation out in the page cache. */
  perform(operation: Operation): void {
    for (const change of operation) set(change.directory.cached, change);
    this.#pending.push(operation);
    if (this.#pending.length > MAX_PENDING) this.#commit(new Set(this.#pending.slice(0, MAX_PENDING / 2)));
  }

  /** The operations that `directory` has pending now; a flush that starts now covers those. */
  pendingIn(directory: DirectoryNode): ReadonlySet<Operation> {
    return new Set(this.#pending.filter((operation) => operation.some((change) => change.directory === directory)));
  }

  /** Puts `operations` on the disk, and with them what must come before: earlier operations on the same names. */
  flush(operations: ReadonlySet<Operation>): void {
    const needed = new Set<string>();
    const chosen = new Set<Operation>();
    for (const operation of this.#pending.toReversed()) {
      if (!operations.has(operation) && !operation.some((change) => needed.has(key(change)))) continue;
      chosen.add(operation);
      for (const change of operation) needed.add(key(change));
    }
    this.#commit(chosen);
  }

  /** A flush that failed: `operations` and all that builds on them count as clean and are not on the disk. */
  failFlush(operations: ReadonlySet<Operation>): void {
    const dropped = new Set<string>();
    this.#pending = this.#pending.filter((operation) => {
      const drop = operations.has(operation) || operation.some((change) => dropped.has(key(change)));
      if (drop) for (const change of operation) dropped.add(key(change));
      return !drop;
    });
  }

  /** The power fails: a prefix of the operations survives, or a subset that respects the order on each name. */
  losePower(mode: SurvivalMode, random: SeededRandom): void {
    const pending = this.#pending;
    if (mode === "keep") this.#commit(new Set(pending));
    else if (mode === "prefix") this.#commit(new Set(pending.slice(0, random.below(pending.length + 1))));
    else if (mode === "subset") {
      const lost = new Set<string>();
      const kept = new Set<Operation>();
      for (const operation of pending) {
        if (random.chance(1, 2) && !operation.some((change) => lost.has(key(change)))) kept.add(operation);
        else for (const change of operation) lost.add(key(change));
      }
      this.#commit(kept);
    }
    this.#pending = [];
  }

  #commit(chosen: ReadonlySet<Operation>): void {
    this.#pending = this.#pending.filter((operation) => {
      if (!chosen.has(operation)) return true;
      for (const change of operation) set(change.directory.durable, change);
      return false;
    });
  }
}
