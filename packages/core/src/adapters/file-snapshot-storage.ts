import type { File, FileSystem, Logger } from "@octopii/interfaces";
import type { GroupId, Index, SnapshotMetadata, SnapshotStorage, SnapshotWriter } from "@octopii/raft";
import { SnapshotDirectory, type SnapshotEntry } from "./snapshot-directory.js";
import { SnapshotError } from "./snapshot-error.js";
import { checkSnapshot, readSnapshotChunks } from "./snapshot-reader.js";
import { createSnapshotWriter } from "./snapshot-writer.js";

/**
 * Keeps each snapshot in a file of its own, in one directory for all groups, in the format of snapshot-format.ts.
 *
 * A snapshot is written under a temporary name, flushed, renamed, and the directory flushed: a file with a final name was complete when it got
 * it, and a crash cannot leave half of one. If one is damaged all the same, {@link list} refuses all of them rather than leave it out: which
 * one the log goes on from, only the log knows, and entries that it has compacted are nowhere else. Memory is bounded by a chunk for each
 * reader and writer. The directory has one user: that is for the node to see to.
 */
export class FileSnapshotStorage implements SnapshotStorage {
  readonly #fileSystem: FileSystem;
  readonly #logger: Logger;
  readonly #directory: SnapshotDirectory;

  /** @param directory - made by {@link prepare}, or when the first snapshot is. */
  constructor(fileSystem: FileSystem, directory: string, logger: Logger) {
    this.#fileSystem = fileSystem;
    this.#logger = logger;
    this.#directory = new SnapshotDirectory(fileSystem, directory, logger);
  }

  /**
   * Makes the directory, so that it outlives a crash. Who cannot have that should not begin: once the log has been compacted, nothing else holds
   * what a snapshot stands for. A flush that fails here is final until the machine is booted anew. @throws whatever the file system throws.
   */
  prepare(): Promise<void> {
    return this.#directory.prepare();
  }

  /** @throws {SnapshotError} `SNAPSHOT_DAMAGED`, `SNAPSHOT_VERSION_UNKNOWN`. Nothing of what is complete has been changed then. */
  async list(group: GroupId): Promise<readonly SnapshotMetadata[]> {
    const entries = await this.#directory.entriesOf(group);
    // A crash between a commit and the removal of what it replaced leaves two of one index; the newest is the last.
    const newest = entries.filter((entry, at) => entries[at + 1]?.index !== entry.index);
    const snapshots: SnapshotMetadata[] = [];
    for (const entry of newest) {
      if (this.#directory.hold(entry)) snapshots.push(await this.#check(entry));
    }
    for (const entry of entries) if (!newest.includes(entry)) await this.#directory.drop(entry);
    await this.#directory.sweep(group);
    return snapshots;
  }

  /** @throws RangeError if the configuration is unsound; whatever the file system throws. */
  create(group: GroupId, metadata: SnapshotMetadata): Promise<SnapshotWriter> {
    return createSnapshotWriter(this.#directory, group, metadata, this.#logger);
  }

  /**
   * Claims the snapshot at the first `next`, not at the call: who never begins holds nothing. Chunks have up to 256 KiB and are the caller's.
   * @throws {SnapshotError} (from the iteration) `SNAPSHOT_MISSING`, `SNAPSHOT_DAMAGED`, `SNAPSHOT_VERSION_UNKNOWN`.
   */
  async *read(group: GroupId, index: Index): AsyncGenerator<Uint8Array, void, void> {
    const entry = await this.#directory.find(group, index);
    if (entry === null) {
      const message = `There is no snapshot of index ${index} of group ${group}; a newer one has taken its place, or it was never finished.`;
      throw new SnapshotError("OCTOPII_CORE_SNAPSHOT_MISSING", message, { group, index });
    }
    try {
      const file = await this.#open(entry);
      try {
        yield* readSnapshotChunks(file, entry.path, entry);
      } finally {
        await file.close();
      }
    } finally {
      await this.#directory.release(entry);
    }
  }

  /** Nobody finds those snapshots any more; a file goes when its last reader has. One that cannot be removed is logged and tried again later. */
  async removeBelow(group: GroupId, index: Index): Promise<void> {
    await this.#directory.sweep(group);
    for (const entry of await this.#directory.entriesOf(group)) if (entry.index < index) await this.#directory.drop(entry);
  }

  async #check(entry: SnapshotEntry): Promise<SnapshotMetadata> {
    try {
      const file = await this.#open(entry);
      try {
        return await checkSnapshot(file, entry.path, entry);
      } finally {
        await file.close();
      }
    } finally {
      await this.#directory.release(entry);
    }
  }

  /** @throws {SnapshotError} `SNAPSHOT_MISSING` if somebody else has removed the file. */
  #open({ path, group, index }: SnapshotEntry): Promise<File> {
    return this.#fileSystem.open(path, { mode: "read" }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== "ENOENT") throw error;
      const message = `The snapshot ${path} is gone; restore the file from a backup, or replace this node by a new one.`;
      throw new SnapshotError("OCTOPII_CORE_SNAPSHOT_MISSING", message, { path, group, index });
    });
  }
}
