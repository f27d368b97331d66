/** The unit in which a page cache writes back, in bytes. */
export const PAGE_BYTES = 4096;

/** The bytes of a file in pages; pages that were never written read as zeros and take no memory. */
export class SparseBytes {
  size = 0;
  readonly #pages = new Map<number, Uint8Array>();

  /** Copies `bytes` to `position`, growing the file if they end behind it. */
  write(bytes: Uint8Array, position: number): void {
    let done = 0;
    while (done < bytes.length) {
      const at = position + done;
      const offset = at % PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - offset, bytes.length - done);
      this.#page((at - offset) / PAGE_BYTES).set(bytes.subarray(done, done + length), offset);
      done += length;
    }
    this.size = Math.max(this.size, position + bytes.length);
  }

  /** Fills `into` from `position`. @returns how many bytes there were before the end of the file. */
  read(into: Uint8Array, position: number): number {
    const total = Math.max(0, Math.min(into.length, this.size - position));
    let done = 0;
    while (done < total) {
      const at = position + done;
      const offset = at % PAGE_BYTES;
      const length = Math.min(PAGE_BYTES - offset, total - done);
      const page = this.#pages.get((at - offset) / PAGE_BYTES);
      if (page === undefined) into.fill(0, done, done + length);
      else into.set(page.subarray(offset, offset + length), done);
      done += length;
    }
    return total;
  }

  /** Cuts the file, or extends it with zeros. What was cut is gone: extending again gives zeros. */
  resize(size: number): void {
    if (size < this.size) {
      const keep = Math.ceil(size / PAGE_BYTES);
      for (const index of [...this.#pages.keys()]) if (index >= keep) this.#pages.delete(index);
      if (size % PAGE_BYTES !== 0) this.#pages.get(keep - 1)?.fill(0, size % PAGE_BYTES);
    }
    this.size = size;
  }

  /** All bytes, in an array of its own. */
  toBytes(): Uint8Array {
    const bytes = new Uint8Array(this.size);
    this.read(bytes, 0);
    return bytes;
  }

  /** Whether `pattern` stands somewhere in it. Looks from the end on: what was written last is what is looked for most. */
  holds(pattern: Uint8Array): boolean {
    const window = new Uint8Array(PAGE_BYTES + Math.max(0, pattern.length - 1));
    const wanted = Buffer.from(pattern);
    const newestFirst = [...this.#pages.keys()].sort((a, b) => b - a);
    return newestFirst.some((index) => {
      const length = this.read(window, index * PAGE_BYTES);
      return Buffer.from(window.buffer, 0, length).includes(wanted);
    });
  }

  clone(): SparseBytes {
    const copy = new SparseBytes();
    copy.size = this.size;
    for (const [index, page] of this.#pages) copy.#pages.set(index, page.slice());
    return copy;
  }

  #page(index: number): Uint8Array {
    let page = this.#pages.get(index);
    if (page === undefined) {
      page = new Uint8Array(PAGE_BYTES);
      this.#pages.set(index, page);
    }
    return page;
  }
}
