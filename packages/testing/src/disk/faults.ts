import { isBelow } from "./silent-faults.js";

/** What a process can ask of a disk. */
export type DiskOperation =
  | "open"
  | "read"
  | "write"
  | "sync"
  | "truncate"
  | "size"
  | "close"
  | "readDirectory"
  | "rename"
  | "remove"
  | "makeDirectory"
  | "syncDirectory"
  | "lock";

/** A failure that waits for its operation. */
export interface PlannedFault {
  /** The error's code, such as `EIO` or `ENOSPC`. */
  readonly code: string;
  /** Only operations on this path, or on paths below it. Default: any. */
  readonly path?: string;
  /** So many operations succeed before it strikes. Default 0. */
  readonly skip?: number;
  /** So many operations fail. Default 1; Infinity makes it stick. */
  readonly times?: number;
}

/** Decides about every operation: the code of an error, or null to let it pass. Called when the operation is carried out. */
export type FaultHook = (operation: DiskOperation, path: string) => string | null;

interface Plan {
  readonly operation: DiskOperation;
  readonly code: string;
  readonly path: string | null;
  skip: number;
  left: number;
}

/** The failures that a disk has in store. */
export class DiskFaults {
  /** Asked after the planned faults. */
  hook: FaultHook | null = null;
  /** How many operations have failed so far, by kind. */
  readonly struck: Partial<Record<DiskOperation, number>> = {};
  #plans: Plan[] = [];

  /** Lets a coming `operation` fail. */
  plan(operation: DiskOperation, fault: PlannedFault): void {
    const { code, path = null, skip = 0, times = 1 } = fault;
    this.#plans.push({ operation, code, path, skip, left: times });
  }

  /** Forgets all planned faults and the hook. */
  clear(): void {
    this.#plans = [];
    this.hook = null;
  }

  /** The code with which this operation fails, or null. */
  strike(operation: DiskOperation, path: string): string | null {
    const code = this.#codeFor(operation, path);
    if (code !== null) this.struck[operation] = (this.struck[operation] ?? 0) + 1;
    return code;
  }

  #codeFor(operation: DiskOperation, path: string): string | null {
    for (const plan of this.#plans) {
      if (plan.operation !== operation || !isBelow(plan.path, path)) continue;
      if (plan.skip > 0) {
        plan.skip -= 1;
        continue;
      }
      plan.left -= 1;
      if (plan.left <= 0) this.#plans = this.#plans.filter((other) => other !== plan);
      return plan.code;
    }
    return this.hook?.(operation, path) ?? null;
  }
}
