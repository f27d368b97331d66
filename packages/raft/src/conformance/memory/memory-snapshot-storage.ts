import type { SnapshotStorage, SnapshotWriter } from "../../ports.js";
import type { GroupId, Index, SnapshotMetadata } from "../../types.js";

/** A {@link SnapshotStorage} in memory. It can lose power, and rot. */
export interface MemorySnapshotStorage extends SnapshotStorage {
  /** The power fails: what was not committed is lost. @returns a storage over what a restart finds; this one commits nothing any more. */
  crash(): MemorySnapshotStorage;
  /** Spoils a complete snapshot: reading it fails from now on. */
  damage(group: GroupId, index: Index): void;
}

interface StoredSnapshot {
  readonly metadata: SnapshotMetadata;
  readonly chunks: readonly Uint8Array[];
  isDamaged: boolean;
}

/** Complete snapshots by group and index: what a crash leaves. */
type Disk = Map<GroupId, Map<Index, StoredSnapshot>>;

class MemorySnapshots implements MemorySnapshotStorage {
  readonly #disk: Disk;
  #crashed = false;

  constructor(disk: Disk) {
    this.#disk = disk;
  }

  async list(group: GroupId): Promise<readonly SnapshotMetadata[]> {
    const stored = [...this.#ofGroup(group).values()];
    return stored.map(({ metadata }) => metadata).sort((a, b) => a.index - b.index);
  }

  async create(group: GroupId, metadata: SnapshotMetadata): Promise<SnapshotWriter> {
    const chunks: Uint8Array[] = [];
    let isOver = false;
    return {
      write: async (chunk) => {
        // The chunk is the caller's again as soon as this resolves.
        if (!isOver) chunks.push(chunk.slice());
      },
      commit: async () => {
        if (isOver || this.#crashed) throw new Error(`The snapshot of index ${metadata.index} was given up.`);
        isOver = true;
        this.#ofGroup(group).set(metadata.index, { metadata, chunks, isDamaged: false });
      },
      abort: async () => {
        isOver = true;
      },
    };
  }

  async *read(group: GroupId, index: Index): AsyncGenerator<Uint8Array, void, void> {
    // Held from here on, whatever becomes of it in the books.
    const stored = this.#ofGroup(group).get(index);
    if (stored === undefined) throw new Error(`There is no snapshot of index ${index} of group ${group}.`);
    for (const chunk of stored.chunks) {
      if (stored.isDamaged) break;
      yield chunk.slice();
    }
    if (stored.isDamaged) throw new Error(`The snapshot of index ${index} of group ${group} is damaged.`);
  }

  async removeBelow(group: GroupId, index: Index): Promise<void> {
    const stored = this.#ofGroup(group);
    for (const at of [...stored.keys()]) if (at < index) stored.delete(at);
  }

  crash(): MemorySnapshotStorage {
    this.#crashed = true;
    return new MemorySnapshots(this.#disk);
  }

  damage(group: GroupId, index: Index): void {
    const stored = this.#ofGroup(group).get(index);
    if (stored !== undefined) stored.isDamaged = true;
  }

  #ofGroup(group: GroupId): Map<Index, StoredSnapshot> {
    let stored = this.#disk.get(group);
    if (stored === undefined) {
      stored = new Map();
      this.#disk.set(group, stored);
    }
    return stored;
  }
}

/** Makes a place for snapshots in memory. */
export function createMemorySnapshotStorage(): MemorySnapshotStorage {
  return new MemorySnapshots(new Map());
}
