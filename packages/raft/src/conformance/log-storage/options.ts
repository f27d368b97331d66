import type { LogStorage } from "../../ports.js";

/** An empty {@link LogStorage}, made afresh for every case, and what may befall it. */
export interface LogStorageFixture {
  readonly storage: LogStorage;
  /**
   * The power fails, and storage is opened on what is left. What is under way may be stored or lost, and its promises may reject, or never
   * settle; what was acknowledged must be there. A test on real files that cannot lose power ends the process that holds them, or drops the
   * object without closing it.
   * @returns the storage that a restart opens; the one before is not used again.
   */
  crash(): Promise<LogStorage>;
  /** Lets a little of what is under way happen; the cases crash after 0, 1, 2… of these. Default: a turn of the promise queue. */
  step?(): Promise<void>;
  /** The next write fails as if the disk did. See {@link LogStorageSuiteOptions.faults}. */
  failWrites?(): void;
  /** Spoils a record of group 0 that was acknowledged and that others follow. */
  damage?(): Promise<void>;
  /** Runs after the case, whatever came of it: removes what it left. */
  dispose?(): Promise<void>;
}

/** Makes the fixture of one case. */
export type LogStorageFactory = () => LogStorageFixture | Promise<LogStorageFixture>;

/** Options of {@link testLogStorage}. */
export interface LogStorageSuiteOptions {
  /** At how many points each case that crashes does so. Default 12. */
  readonly crashPoints?: number;
  /** Which faults the fixture can bring about; the cases of the others are left out. Default: none. */
  readonly faults?: readonly ("failWrites" | "damage")[];
}
