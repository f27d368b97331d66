import type { HardState, LogWrite, SnapshotMetadata } from "../../src/index.js";
import { LogImage } from "./log-image.js";

/** A snapshot with its data: here, what the state machine's whole history hashes to. */
export interface StoredSnapshot {
  readonly metadata: SnapshotMetadata;
  readonly hash: number;
}

/**
 * Stable storage whose writes complete one by one, in order, when told to, and are lost in a crash before that; or not lost, for nobody
 * knows until the completion is reported.
 */
export class Disk {
  hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
  /** What is on stable storage. */
  durable: LogImage = new LogImage();
  /** What it will be once all writes are complete. */
  view: LogImage = new LogImage();
  readonly snapshots = new Map<number, StoredSnapshot>();
  #queue: { readonly write: LogWrite; readonly hardState: HardState | null }[] = [];
  #lastSequence = 0;
  #carried: HardState | null = null;

  readonly #isHonest: boolean;
  /** What it falls back to in a crash if it is not honest. */
  #earlier: { hardState: HardState; log: LogImage } | null = null;

  constructor(isHonest = true) {
    this.#isHonest = isHonest;
  }

  get pending(): number {
    return this.#queue.length;
  }

  /** @returns the sequence that is durable at once, or null. Lazy writes ride along as those of the driver do. */
  push(write: LogWrite): number | null {
    this.#lastSequence = write.sequence;
    if (write.lazy) {
      if (write.hardState !== null) this.#carried = write.hardState;
      return this.#queue.length === 0 ? write.sequence : null;
    }
    if (write.snapshot !== null) this.view.install(write.snapshot);
    this.view.write(write.entries);
    this.#queue.push({ write, hardState: write.hardState ?? this.#carried });
    this.#carried = null;
    return null;
  }

  /** Completes the oldest write. @returns how far all is durable, and the snapshot that was installed. */
  complete(): { sequence: number; installed: SnapshotMetadata | null } | null {
    const snapshot = this.#storeFirst();
    if (snapshot === undefined) return null;
    const next = this.#queue[0];
    return { sequence: next === undefined ? this.#lastSequence : next.write.sequence - 1, installed: snapshot };
  }

  #storeFirst(): SnapshotMetadata | null | undefined {
    const first = this.#queue.shift();
    if (first === undefined) return undefined;
    if (!this.#isHonest) this.#earlier = { hardState: this.hardState, log: this.durable.clone() };
    if (first.hardState !== null) this.hardState = first.hardState;
    if (first.write.snapshot !== null) this.durable.install(first.write.snapshot);
    this.durable.write(first.write.entries);
    return first.write.snapshot;
  }

  /** The oldest `survivors` writes made it, though nobody was told. */
  crash(survivors: number): void {
    for (let stored = 0; stored < survivors; stored++) this.#storeFirst();
    if (this.#earlier !== null) {
      this.hardState = this.#earlier.hardState;
      this.durable = this.#earlier.log;
      this.#earlier = null;
    }
    this.#queue = [];
    this.#carried = null;
    this.#lastSequence = 0;
    this.view = this.durable.clone();
  }

  /** @param isLasting - whether a crash leaves it so. */
  compact(index: number, isLasting: boolean): void {
    this.view.compact(index);
    if (isLasting && index <= this.durable.lastIndex) this.durable.compact(index);
  }

  /** The newest snapshot that belongs to the durable log. */
  usableSnapshot(): StoredSnapshot | null {
    let newest: StoredSnapshot | null = null;
    const { compactedIndex, lastIndex } = this.durable;
    for (const stored of this.snapshots.values()) {
      const { index, term } = stored.metadata;
      const isUsable = index >= compactedIndex && index <= lastIndex && this.durable.termAt(index) === term;
      if (isUsable && index > (newest?.metadata.index ?? 0)) newest = stored;
    }
    return newest;
  }

  /** Older snapshots go when a newer one is there; the newest usable one stays. */
  tidySnapshots(belowIndex: number): void {
    for (const index of this.snapshots.keys()) if (index < belowIndex) this.snapshots.delete(index);
  }
}
