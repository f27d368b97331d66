import type { SnapshotStorage } from "../../ports.js";
import type { GroupId, Index } from "../../types.js";

/** An empty {@link SnapshotStorage}, made afresh for every case, and what may befall it. */
export interface SnapshotStorageFixture {
  readonly storage: SnapshotStorage;
  /**
   * The power fails, and storage is opened on what is left. Calls under way may reject, or never settle.
   * @returns the storage that a restart opens; the one before is not used again.
   */
  crash(): Promise<SnapshotStorage>;
  /** Lets a little of what is under way happen; the cases crash after 0, 1, 2… of these. Default: a turn of the promise queue. */
  step?(): Promise<void>;
  /** Spoils the data of a complete snapshot. See {@link SnapshotStorageSuiteOptions.faults}. */
  damage?(group: GroupId, index: Index): Promise<void>;
  /** Runs after the case, whatever came of it: removes what it left. */
  dispose?(): Promise<void>;
}

/** Makes the fixture of one case. */
export type SnapshotStorageFactory = () => SnapshotStorageFixture | Promise<SnapshotStorageFixture>;

/** Options of {@link testSnapshotStorage}. */
export interface SnapshotStorageSuiteOptions {
  /** At how many points each case that crashes does so. Default 12. */
  readonly crashPoints?: number;
  /** Size of the large snapshot. Default 1 MiB. */
  readonly largeBytes?: number;
  /** Which faults the fixture can bring about; the cases of the others are left out. Default: none. */
  readonly faults?: readonly "damage"[];
}
