import type { File, FileSystem } from "@octopii/interfaces";
import { segmentName } from "../format/format.js";

/** Segments that are kept open for reading while nobody reads them. */
const IDLE_FILES = 16;

interface HeldSegment {
  /** Null until somebody reads. */
  file: Promise<File> | null;
  holders: number;
  /** Called when the last holder is gone. */
  onIdle: (() => void) | null;
}

/** The segments that are open for reading. A segment that somebody holds is neither closed nor removed. */
export class SegmentFiles {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  /** Least recently used first. */
  readonly #held = new Map<number, HeldSegment>();

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  path(number: number): string {
    return `${this.#directory}/${segmentName(number)}`;
  }

  /** Keeps a segment from now on, synchronously; `release` it once for each call. */
  hold(number: number): void {
    this.#hold(number);
  }

  /** Holds a segment and opens its file; `release` it once for each call, whether or not its file could be opened. */
  acquire(number: number): Promise<File> {
    const segment = this.#hold(number);
    if (segment.file !== null) return segment.file;
    const file = this.#fileSystem.open(this.path(number), { mode: "read" });
    segment.file = file;
    file.catch(() => {
      if (segment.file === file) segment.file = null;
    });
    return file;
  }

  #hold(number: number): HeldSegment {
    const segment = this.#held.get(number) ?? { file: null, holders: 0, onIdle: null };
    segment.holders++;
    this.#held.delete(number);
    this.#held.set(number, segment);
    return segment;
  }

  release(number: number): void {
    const segment = this.#held.get(number);
    if (segment === undefined) return;
    segment.holders--;
    if (segment.holders > 0) return;
    if (segment.onIdle !== null) segment.onIdle();
    else if (segment.file === null) this.#held.delete(number);
    this.#closeSurplus();
  }

  /** Resolves when nobody holds the segment and its file is closed. */
  async retire(number: number): Promise<void> {
    const segment = this.#held.get(number);
    if (segment === undefined) return;
    if (segment.holders > 0) {
      await new Promise<void>((resolve) => {
        segment.onIdle = resolve;
      });
    }
    if (this.#held.get(number) === segment) this.#held.delete(number);
    await closeQuietly(segment);
  }

  /** Waits for all holders, then closes everything. */
  async close(): Promise<void> {
    for (const number of [...this.#held.keys()]) await this.retire(number);
  }

  #closeSurplus(): void {
    for (const [number, segment] of this.#held) {
      if (this.#held.size <= IDLE_FILES) return;
      if (segment.holders > 0 || segment.onIdle !== null) continue;
      this.#held.delete(number);
      void closeQuietly(segment);
    }
  }
}

/** A file that could not be opened needs no closing, and one that was only read loses nothing if closing fails. */
async function closeQuietly(segment: HeldSegment): Promise<void> {
  await segment.file?.then((file) => file.close()).catch(() => undefined);
}
