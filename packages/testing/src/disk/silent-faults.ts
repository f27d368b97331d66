import type { SeededRandom } from "../random/seeded-random.js";

/** A fault that nobody is told of, and that waits for its operation. */
export interface SilentFault {
  /** Only operations on this path, or on paths below it. Default: any. */
  readonly path?: string;
  /** So many operations are spared before it strikes. Default 0. */
  readonly skip?: number;
  /** So many operations are struck. Default 1; Infinity makes it stick. */
  readonly times?: number;
}

/** What a disk may do without a word. `rotOnRead`: a read shows a flipped bit. `misdirect`: a write goes to another place of the file. */
export type SilentFaultKind = "rotOnRead" | "misdirect";

interface Plan {
  readonly kind: SilentFaultKind;
  readonly path: string | null;
  skip: number;
  left: number;
}

/** Where a misdirected write lands is a multiple of this, in bytes: disks go wrong by whole sectors. */
const SECTOR_BYTES = 512;

/** The silent faults that a disk has in store. Only checksums find them. */
export class SilentFaults {
  /** How many have struck, by kind. */
  readonly struck: Record<SilentFaultKind, number> = { rotOnRead: 0, misdirect: 0 };
  readonly #random: SeededRandom;
  #plans: Plan[] = [];

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  plan(kind: SilentFaultKind, { path, skip = 0, times = 1 }: SilentFault): void {
    this.#plans.push({ kind, path: path ?? null, skip, left: times });
  }

  clear(): void {
    this.#plans = [];
  }

  /** The first `length` bytes of `buffer` were read from `path`; one bit of them may flip on the way. */
  afterRead(path: string, buffer: Uint8Array, length: number): void {
    if (length === 0 || !this.#strikes("rotOnRead", path)) return;
    const at = this.#random.below(length);
    buffer[at] = (buffer[at] as number) ^ (1 << this.#random.below(8));
  }

  /** Where a write to `path` really goes. @param size - of the file, before the write. */
  positionFor(path: string, position: number, size: number): number {
    if (!this.#strikes("misdirect", path)) return position;
    const sectors = Math.floor(size / SECTOR_BYTES) + 1;
    const elsewhere = this.#random.below(sectors) * SECTOR_BYTES;
    return elsewhere === position ? position + SECTOR_BYTES : elsewhere;
  }

  #strikes(kind: SilentFaultKind, path: string): boolean {
    const plan = this.#plans.find((one) => one.kind === kind && isBelow(one.path, path));
    if (plan === undefined) return false;
    if (plan.skip > 0) {
      plan.skip -= 1;
      return false;
    }
    plan.left -= 1;
    if (plan.left <= 0) this.#plans = this.#plans.filter((other) => other !== plan);
    this.struck[kind] += 1;
    return true;
  }
}

/** Whether `path` is `wanted`, or below it. */
export function isBelow(wanted: string | null, path: string): boolean {
  return wanted === null || path === wanted || path.startsWith(wanted.endsWith("/") ? wanted : `${wanted}/`);
}
