import type { Configuration, Entry, Index, SnapshotMetadata } from "./raft.js";

/** The data of each snapshot, which our messages do not carry. */
const contents = new WeakMap<SnapshotMetadata, string>();

const text = new TextDecoder();

/** Appends every command to a string, and remembers the state after each entry. */
export class StateMachine {
  #history: SnapshotMetadata[];

  constructor(start: SnapshotMetadata, content: string) {
    contents.set(start, content);
    this.#history = [start];
  }

  /** The state as of the last applied entry. */
  get latest(): SnapshotMetadata {
    const last = this.#history[this.#history.length - 1];
    if (last === undefined) throw new Error("a state machine without a state");
    return last;
  }

  get content(): string {
    return contents.get(this.latest) ?? "";
  }

  /** The newest state at or below `index`. */
  at(index: Index): SnapshotMetadata | undefined {
    return this.#history.findLast((snapshot) => snapshot.index <= index);
  }

  /** An entry that a snapshot has overtaken changes nothing. @param configuration - what is in effect after the entry. */
  apply({ index, term, kind, data }: Entry, configuration: Configuration): void {
    if (index <= this.latest.index) return;
    const snapshot: SnapshotMetadata = { index, term, configuration };
    contents.set(snapshot, kind === "command" ? this.content + text.decode(data) : this.content);
    this.#history.push(snapshot);
  }

  restore(snapshot: SnapshotMetadata): void {
    if (!contents.has(snapshot)) throw new Error(`nobody took the snapshot of index ${snapshot.index}`);
    this.#history = [snapshot];
  }

  /** Forgets what came after `index`, as a restart from the snapshot of that index does. */
  returnTo(index: Index): void {
    this.#history = this.#history.filter((snapshot) => snapshot.index <= index);
  }
}
