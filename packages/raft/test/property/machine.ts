import type { ApplyRange, SnapshotMetadata } from "../../src/index.js";
import type { Inbox } from "../../src/node/inbox.js";
import type { Disk, StoredSnapshot } from "./disk.js";
import { chain, hashOf, type Judge } from "./oracle.js";
import { promise } from "./violation.js";

type Task = { readonly kind: "apply"; readonly range: ApplyRange } | { readonly kind: "restore"; readonly snapshot: SnapshotMetadata };

/** A state machine that keeps no more than a hash of its history, and does one thing after the other, each when it is told to. */
export class SimulatedMachine {
  readonly #id: number;
  readonly #disk: Disk;
  readonly #oracle: Judge;
  #index: number;
  #chained: number;
  #tasks: Task[] = [];
  /** A snapshot that is being written. */
  #taking: { readonly stored: StoredSnapshot; readonly tail: number } | null = null;
  #lastSnapshotIndex: number;

  /** @param stored - the snapshot that it starts from. */
  constructor(id: number, disk: Disk, oracle: Judge, stored: StoredSnapshot | null) {
    this.#id = id;
    this.#disk = disk;
    this.#oracle = oracle;
    this.#index = stored?.metadata.index ?? 0;
    this.#chained = stored?.hash ?? 0;
    this.#lastSnapshotIndex = this.#index;
  }

  get isBusy(): boolean {
    return this.#tasks.length > 0 || this.#taking !== null;
  }

  /** Nothing is given out that a crash could take from the own log, nor what a snapshot stands for. */
  give(range: ApplyRange): void {
    const { durable, view } = this.#disk;
    const isThere = range.from > view.compactedIndex && durable.termAt(range.to) === view.termAt(range.to);
    promise(isThere, () => {
      return `node ${this.#id} is to apply [${range.from}, ${range.to}]; on its disk is (${durable.compactedIndex}, ${durable.lastIndex}]`;
    });
    this.#tasks.push({ kind: "apply", range });
  }

  /** The leader's snapshot is installed. */
  installed(snapshot: SnapshotMetadata): void {
    this.#tasks.push({ kind: "restore", snapshot });
    this.#lastSnapshotIndex = Math.max(this.#lastSnapshotIndex, snapshot.index);
  }

  /** Finishes the oldest thing that it was given. */
  work(inbox: Inbox): void {
    const task = this.#tasks.shift();
    if (task === undefined) return;
    if (task.kind === "restore") this.#restore(task.snapshot, inbox);
    else this.#apply(task.range, inbox);
  }

  #apply(range: ApplyRange, inbox: Inbox): void {
    const { from, to } = range;
    const entries = range.entries ?? this.#disk.view.slice(from, to);
    // A snapshot took the place of what was to be read from the disk.
    if (entries.length === 0) return;
    promise(this.#index === from - 1 && entries.length === to - from + 1, () => {
      return `node ${this.#id} is to apply [${from}, ${to}] after ${this.#index}`;
    });
    for (const entry of entries) this.#chained = chain(this.#chained, hashOf(entry));
    this.#index = to;
    this.#oracle.applied(this.#id, to, this.#chained);
    inbox.applied(
      to,
      entries.filter(({ kind }) => kind === "configuration" || kind === "founding"),
    );
  }

  #restore({ index }: SnapshotMetadata, inbox: Inbox): void {
    const stored = this.#disk.snapshots.get(index);
    promise(stored !== undefined, () => `node ${this.#id} is to restore a snapshot of ${index} that it does not have`);
    this.#index = index;
    this.#chained = stored?.hash ?? 0;
    inbox.restoredIndex = index;
  }

  /** Begins a snapshot of what is applied. @param tail - how many entries before it the log is to keep. */
  take(metadata: SnapshotMetadata | null, tail: number): void {
    // What was applied last may not have come to the core's ears yet.
    if (this.isBusy || metadata?.index !== this.#index || metadata.index === this.#lastSnapshotIndex) return;
    this.#oracle.snapshotted(this.#id, metadata, this.#chained);
    this.#taking = { stored: { metadata, hash: this.#chained }, tail };
  }

  /** The snapshot that was begun is on the disk. */
  finishSnapshot(inbox: Inbox): void {
    if (this.#taking === null) return;
    const { stored, tail } = this.#taking;
    const { index } = stored.metadata;
    this.#taking = null;
    this.#disk.snapshots.set(index, stored);
    if (index <= this.#lastSnapshotIndex) return;
    this.#lastSnapshotIndex = index;
    inbox.snapshot = stored.metadata;
    if (index > tail) inbox.compactTo = index - tail;
  }
}
