import type { Scheduler } from "@octopii/interfaces";
import type { LogStorage, StoredLog } from "../../ports.js";
import type { Entry, GroupId, HardState, Index, SnapshotMetadata } from "../../types.js";
import { LogImage } from "./log-image.js";

/** Options of {@link createMemoryLogStorage}. */
export interface MemoryLogStorageOptions {
  /** With it, each write takes {@link writeMs}, one after the other. Without it, whatever is written is durable at once. */
  readonly scheduler?: Scheduler;
  /** How long a write takes. Default 1 ms. */
  readonly writeMs?: number;
}

/** A {@link LogStorage} in memory. It can lose power, fail, and rot. */
export interface MemoryLogStorage extends LogStorage {
  /**
   * The power fails: what is under way is lost, and never settles; what was compacted comes back.
   * @returns a storage over what a restart finds. This one must not be used any more.
   */
  crash(): MemoryLogStorage;
  /** Every write from now on rejects with `error`, what is under way included; nothing of it is stored. */
  fail(error: unknown): void;
  /** Spoils something that was acknowledged: {@link LogStorage.load} refuses the group from now on, also after a crash. */
  damage(group: GroupId): void;
}

/** What a crash leaves. */
interface Disk {
  readonly images: Map<GroupId, LogImage>;
  readonly damaged: Set<GroupId>;
}

interface PendingWrite {
  readonly perform: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

class MemoryLog implements MemoryLogStorage {
  readonly #disk: Disk;
  readonly #options: MemoryLogStorageOptions;
  /** Compactions that a crash undoes. */
  readonly #compacted = new Map<GroupId, Index>();
  #pending: PendingWrite[] = [];
  #crashed = false;
  #failed = false;
  #failure: unknown;

  constructor(disk: Disk, options: MemoryLogStorageOptions) {
    this.#disk = disk;
    this.#options = options;
  }

  async load(group: GroupId): Promise<StoredLog> {
    if (this.#disk.damaged.has(group)) throw new Error(`An entry of group ${group} is damaged; restore the log, or replace the node.`);
    this.#compactForGood(group);
    const { hardState, compactedIndex, lastIndex, terms } = this.#image(group);
    return { hardState, compactedIndex, lastIndex, terms };
  }

  append(group: GroupId, hardState: HardState | null, entries: readonly Entry[]): Promise<void> | undefined {
    return this.#write(group, () => this.#image(group).append(hardState, entries));
  }

  install(group: GroupId, hardState: HardState | null, snapshot: SnapshotMetadata): Promise<void> {
    return this.#write(group, () => this.#image(group).install(hardState, snapshot)) ?? Promise.resolve();
  }

  async compact(group: GroupId, index: Index): Promise<void> {
    this.#compacted.set(group, Math.max(index, this.#compacted.get(group) ?? 0));
  }

  async read(group: GroupId, from: Index, to: Index, maxBytes: number): Promise<readonly Entry[]> {
    if (from <= (this.#compacted.get(group) ?? 0)) return [];
    return this.#image(group).read(from, to, maxBytes);
  }

  crash(): MemoryLogStorage {
    this.#crashed = true;
    return new MemoryLog(this.#disk, this.#options);
  }

  fail(error: unknown): void {
    this.#failed = true;
    this.#failure = error;
    for (const { reject } of this.#pending.splice(0)) reject(error);
  }

  damage(group: GroupId): void {
    this.#disk.damaged.add(group);
  }

  /** In the order of the calls, each all or nothing. */
  #write(group: GroupId, change: () => void): Promise<void> | undefined {
    if (this.#failed) return Promise.reject(this.#failure);
    if (this.#crashed) return new Promise(() => undefined);
    const perform = (): void => {
      this.#compactForGood(group);
      change();
    };
    const { scheduler } = this.#options;
    if (scheduler === undefined) {
      perform();
      return undefined;
    }
    return new Promise((resolve, reject) => {
      this.#pending.push({ perform, resolve, reject });
      if (this.#pending.length === 1) this.#begin(scheduler);
    });
  }

  #begin(scheduler: Scheduler): void {
    scheduler.setTimer(this.#options.writeMs ?? 1, () => {
      if (this.#crashed) return;
      const write = this.#pending.shift();
      try {
        write?.perform();
        write?.resolve();
      } catch (error) {
        write?.reject(error);
        this.fail(error);
      }
      if (this.#pending.length > 0) this.#begin(scheduler);
    });
  }

  /** A compaction rides along with the next write. */
  #compactForGood(group: GroupId): void {
    const index = this.#compacted.get(group);
    if (index === undefined) return;
    this.#image(group).compact(index);
    this.#compacted.delete(group);
  }

  #image(group: GroupId): LogImage {
    let image = this.#disk.images.get(group);
    if (image === undefined) {
      image = new LogImage();
      this.#disk.images.set(group, image);
    }
    return image;
  }
}

/** Makes an empty log in memory: for tests, and for groups whose members need not outlive their processes. */
export function createMemoryLogStorage(options: MemoryLogStorageOptions = {}): MemoryLogStorage {
  return new MemoryLog({ images: new Map(), damaged: new Set() }, options);
}
