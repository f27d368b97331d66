import type { File } from "@octopii/interfaces";
import { viewOf } from "../format/bytes.js";

/** How much of a file is held at a time. */
export const WINDOW_BYTES: number = 1024 * 1024;

/** A sliding view of a file that is read from front to back. */
export class ScanWindow {
  readonly size: number;
  readonly #file: File;
  readonly bytes: Uint8Array;
  readonly view: DataView;
  #start = 0;
  #end = 0;

  readonly #onRead: ((offset: number) => void) | null;

  /** @param buffer - at least `WINDOW_BYTES` long, or as long as the file; used again for the next file. @param onRead - told how far it has read. */
  constructor(file: File, size: number, buffer: Uint8Array, onRead: ((offset: number) => void) | null = null) {
    this.#onRead = onRead;
    this.#file = file;
    this.size = size;
    this.bytes = buffer;
    this.view = viewOf(buffer);
  }

  /** Whether bytes `[offset, offset + length)` of the file are in the window. */
  has(offset: number, length: number): boolean {
    return offset >= this.#start && offset + length <= this.#end;
  }

  /** Where byte `offset` of the file is in `bytes`. */
  at(offset: number): number {
    return offset - this.#start;
  }

  /** Reads on from `offset`, as much as fits. Gives how many bytes are there. */
  async load(offset: number): Promise<number> {
    const kept = offset >= this.#start && offset < this.#end ? this.#end - offset : 0;
    if (kept > 0) this.bytes.copyWithin(0, offset - this.#start, this.#end - this.#start);
    const wanted = Math.min(this.bytes.length, this.size - offset) - kept;
    const got = wanted > 0 ? await this.#file.read(this.bytes.subarray(kept, kept + wanted), offset + kept) : 0;
    this.#start = offset;
    this.#end = offset + kept + got;
    this.#onRead?.(this.#end);
    return kept + got;
  }

  /** The place of the last byte at or after `from` that is not zero; null if there is none. */
  async lastNonZero(from: number): Promise<number | null> {
    let last: number | null = null;
    for (let offset = from; offset < this.size; ) {
      const got = await this.load(offset);
      if (got === 0) break;
      let at = got - 1;
      while (at >= 0 && this.bytes[at] === 0) at--;
      if (at >= 0) last = offset + at;
      offset += got;
    }
    return last;
  }
}
