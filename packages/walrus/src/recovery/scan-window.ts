import type { File } from "@octopii/interfaces";
import { viewOf } from "../format/bytes.js";

/** How much of a file is held at a time. */
export const WINDOW_BYTES: number = 1024 * 1024;

/** What is left before bytes that are read ahead: for the beginning of a record, found at the end of the bytes before. */
const HEAD_BYTES = 128 * 1024;

/** A sliding view of a file that is read from front to back. */
export class ScanWindow {
  readonly size: number;
  readonly #file: File;
  readonly #onRead: ((offset: number) => void) | null;
  #buffer: Uint8Array;
  /** Where the bytes that come next are read while these are looked at; null for never. */
  #spare: Uint8Array | null;
  #ahead: { readonly offset: number; readonly read: Promise<number> } | null = null;
  #bytes: Uint8Array;
  #view: DataView;
  #start = 0;
  #end = 0;
  #loads = 0;

  /**
   * @param buffer - at least `WINDOW_BYTES` long, or as long as the file; used again for the next file. @param onRead - told how far it has read.
   * @param spare - as long as `buffer`: to read ahead, which takes {@link settled} before the file is closed.
   */
  constructor(
    file: File,
    size: number,
    buffer: Uint8Array,
    onRead: ((offset: number) => void) | null = null,
    spare: Uint8Array | null = null,
  ) {
    this.#onRead = onRead;
    this.#file = file;
    this.size = size;
    this.#buffer = buffer;
    this.#spare = spare;
    this.#bytes = buffer.subarray(0, 0);
    this.#view = viewOf(this.#bytes);
  }

  /** What is loaded. Another array after each {@link load}. */
  get bytes(): Uint8Array {
    return this.#bytes;
  }

  get view(): DataView {
    return this.#view;
  }

  /** How often its contents have changed. */
  get loads(): number {
    return this.#loads;
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
    const got = (await this.#takeAhead(offset, kept)) ?? (await this.#read(offset, kept));
    this.#view = viewOf(this.#bytes);
    this.#start = offset;
    this.#end = offset + got;
    this.#loads++;
    this.#onRead?.(this.#end);
    this.#readAhead();
    return got;
  }

  /** Resolves when nothing is being read. */
  async settled(): Promise<void> {
    await this.#ahead?.read.catch(() => undefined);
  }

  async #read(offset: number, kept: number): Promise<number> {
    const buffer = this.#buffer;
    if (kept > 0) buffer.set(this.#bytes.subarray(this.#bytes.length - kept));
    const wanted = Math.min(buffer.length, this.size - offset) - kept;
    const got = wanted > 0 ? await this.#file.read(buffer.subarray(kept, kept + wanted), offset + kept) : 0;
    this.#bytes = buffer.subarray(0, kept + got);
    return kept + got;
  }

  /** Uses what was read ahead; gives null if that is not what comes next. */
  async #takeAhead(offset: number, kept: number): Promise<number | null> {
    const ahead = this.#ahead;
    const spare = this.#spare;
    if (ahead === null || spare === null) return null;
    this.#ahead = null;
    const isNext = offset + kept === ahead.offset && kept <= HEAD_BYTES;
    const got = isNext ? await ahead.read : await ahead.read.catch(() => 0);
    if (!isNext) return null;
    const from = HEAD_BYTES - kept;
    spare.set(this.#bytes.subarray(this.#bytes.length - kept), from);
    this.#spare = this.#buffer;
    this.#buffer = spare;
    this.#bytes = spare.subarray(from, HEAD_BYTES + got);
    return kept + got;
  }

  #readAhead(): void {
    const spare = this.#spare;
    const offset = this.#end;
    if (spare === null || offset >= this.size || spare.length <= HEAD_BYTES) return;
    const wanted = Math.min(spare.length - HEAD_BYTES, this.size - offset);
    const read = this.#file.read(spare.subarray(HEAD_BYTES, HEAD_BYTES + wanted), offset);
    // Whoever loads next hears of a failure.
    read.catch(() => undefined);
    this.#ahead = { offset, read };
  }

  /** The place of the last byte at or after `from` that is not zero; null if there is none. */
  async lastNonZero(from: number): Promise<number | null> {
    let last: number | null = null;
    for (let offset = from; offset < this.size; ) {
      const got = await this.load(offset);
      if (got === 0) break;
      let at = got - 1;
      while (at >= 0 && this.#bytes[at] === 0) at--;
      if (at >= 0) last = offset + at;
      offset += got;
    }
    return last;
  }
}
