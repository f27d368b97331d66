import { LaneError } from "../errors.js";
import { localError } from "../facts.js";

/** Where a transfer goes. Calls come one after the other. */
export interface Target {
  /** Takes the next bytes. They stay the caller's, who leaves them alone until it settles. */
  write(data: Uint8Array): Promise<void>;
  /** Everything has come and is what was sent. @throws {LaneError} `STORAGE_FAILED`, `EXISTS` */
  publish(): Promise<void>;
  /** Drops what has come. Never rejects. After {@link publish} it does nothing. */
  discard(): Promise<void>;
}

/** What all transfers into memory may take together. */
export class MemoryBudget {
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** @throws {LaneError} `BUSY` */
  reserve(bytes: number): void {
    if (this.#bytes + bytes > this.#bytesMax) {
      const message = `${this.#bytes} bytes are being received into memory, and ${bytes} more would exceed ${this.#bytesMax} (maxMemoryTotalBytes).`;
      throw localError("OCTOPII_LANE_BUSY", message, "no memory is free for it now; try again later");
    }
    this.#bytes += bytes;
  }

  release(bytes: number): void {
    this.#bytes -= bytes;
  }
}

/** Bytes in memory. */
export class MemoryTarget implements Target {
  readonly data: Uint8Array;
  readonly #budget: MemoryBudget;
  #filled = 0;
  #isOver = false;

  /** @throws {LaneError} `BUSY`, `TOO_LARGE` */
  constructor(size: number, budget: MemoryBudget) {
    budget.reserve(size);
    this.#budget = budget;
    try {
      this.data = new Uint8Array(size);
    } catch (error) {
      budget.release(size);
      throw new LaneError("OCTOPII_LANE_TOO_LARGE", `${size} bytes do not fit into this process's memory.`, { cause: error });
    }
  }

  async write(data: Uint8Array): Promise<void> {
    this.data.set(data, this.#filled);
    this.#filled += data.length;
  }

  async publish(): Promise<void> {
    this.#release();
  }

  async discard(): Promise<void> {
    this.#release();
  }

  #release(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#budget.release(this.data.length);
  }
}
