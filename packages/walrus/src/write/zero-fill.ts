import type { File } from "@octopii/interfaces";

const ZEROS = new Uint8Array(64 * 1024);

/** A full disk is not the filler's business: the append that needs the room says so. */
const HARMLESS: ReadonlySet<unknown> = new Set(["ENOSPC", "EDQUOT", "EFBIG"]);

/**
 * Keeps the file of a segment filled with zeros, on stable storage, some way ahead of where the log ends. A small write that is flushed
 * then changes bytes only, not the file's length and blocks, which on ext4 and XFS spares a commit of the file system's journal per flush.
 */
export class ZeroFill {
  readonly #aheadBytes: number;
  readonly #limit: number;
  readonly #file: () => Promise<File>;
  #end = 0;
  #start = 0;
  #filling: Promise<void> | null = null;
  #failure: unknown = null;
  #stopped: boolean;

  /** @param aheadBytes - how much to fill at a time; 0 for never. @param limit - the offset to which it is worth while. */
  constructor(aheadBytes: number, limit: number, file: () => Promise<File>) {
    this.#aheadBytes = aheadBytes;
    this.#limit = limit;
    this.#file = file;
    this.#stopped = aheadBytes === 0;
  }

  /** Up to where the file may have been filled. */
  get end(): number {
    return this.#end;
  }

  /** Whether bytes up to `end` may not be written before {@link settled}. */
  isInTheWayOf(end: number): boolean {
    return this.#failure !== null || (this.#filling !== null && end > this.#start);
  }

  /** Resolves when nothing is being filled. Rejects if a flush failed: then nobody knows what else it was to flush. */
  async settled(): Promise<void> {
    await this.#filling;
    if (this.#failure !== null) throw this.#failure;
  }

  /** Starts to fill if a quarter or less is left beyond `position`. */
  keepAheadOf(position: number): void {
    if (this.#stopped || this.#filling !== null || this.#end - position > this.#aheadBytes / 4) return;
    // What is written while the file is being filled goes below, so that the two never meet.
    const start = Math.max(this.#end, position + (this.#end > position ? 0 : this.#aheadBytes / 4));
    const end = Math.min(this.#limit, start + this.#aheadBytes);
    if (start >= end) return;
    this.#start = start;
    this.#filling = this.#fill(start, end).finally(() => {
      this.#filling = null;
    });
  }

  async #fill(start: number, end: number): Promise<void> {
    let synced = false;
    try {
      const file = await this.#file();
      this.#end = end;
      await file.write(zeros(end - start), start);
      synced = true;
      await file.sync();
    } catch (error) {
      this.#stopped = true;
      const code = error instanceof Error && "code" in error ? error.code : undefined;
      if (synced || !HARMLESS.has(code)) this.#failure = error;
    }
  }
}

function zeros(length: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let left = length; left > 0; left -= ZEROS.length) pieces.push(left >= ZEROS.length ? ZEROS : ZEROS.subarray(0, left));
  return pieces;
}
