import type { DiskOperation } from "./faults.js";
import type { SimulatedDisk } from "./simulated-disk.js";

/** What a handle needs of the file system that opened it. */
export interface DiskAccess {
  readonly disk: SimulatedDisk;
  /** Counts one handle less. */
  closeHandle(): void;
  /**
   * Runs an operation on the disk. Gives a promise that settles as an event of the process, and never after its death.
   * @param strike - what a planned fault does before the operation rejects with its code.
   */
  run<T>(operation: DiskOperation, path: string, execute: () => T, durable?: boolean, strike?: () => void): Promise<T>;
}
