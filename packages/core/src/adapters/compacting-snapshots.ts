import type { SnapshotStorage } from "@octopii/raft";

/**
 * Snapshot storage that tells when the log behind a snapshot is gone for good: then the older snapshots go too.
 * @param compacted - a throw stops the node, as one of the state machine's other methods does.
 */
export function compactingSnapshots(storage: SnapshotStorage, compacted: (index: number) => void | Promise<void>): SnapshotStorage {
  return {
    create: (group, metadata) => storage.create(group, metadata),
    list: (group) => storage.list(group),
    read: (group, index) => storage.read(group, index),
    async removeBelow(group, index) {
      await storage.removeBelow(group, index);
      await compacted(index);
    },
  };
}
