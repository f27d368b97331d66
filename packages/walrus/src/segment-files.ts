import type { File, FileSystem } from "@octopii/interfaces";
import { segmentName } from "./format.js";

/** Segments that are kept open for reading while nobody reads them. */
const IDLE_FILES = 16;

interface OpenSegment {
  readonly file: Promise<File>;
  readers: number;
  /** Called when the last reader is gone. */
  onIdle: (() => void) | null;
}

/** The segments that are open for reading. A segment that is being read is neither closed nor removed. */
export class SegmentFiles {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  /** Least recently used first. */
  readonly #open = new Map<number, OpenSegment>();

  constructor(fileSystem: FileSystem, directory: string) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
  }

  path(number: number): string {
    return `${this.#directory}/${segmentName(number)}`;
  }

  /** Holds a segment from now on, synchronously; `release` it once for each call, whether or not its file could be opened. */
  acquire(number: number): Promise<File> {
    const segment = this.#open.get(number) ?? this.#openFile(number);
    segment.readers++;
    this.#open.delete(number);
    this.#open.set(number, segment);
    return segment.file;
  }

  #openFile(number: number): OpenSegment {
    const file = this.#fileSystem.open(this.path(number), { mode: "read" });
    // A reader hears of a failure when it comes to this segment, which may be later.
    file.catch(() => undefined);
    return { file, readers: 0, onIdle: null };
  }

  release(number: number): void {
    const segment = this.#open.get(number);
    if (segment === undefined) return;
    segment.readers--;
    if (segment.readers > 0) return;
    if (segment.onIdle !== null) segment.onIdle();
    else void segment.file.catch(() => this.#forget(number, segment));
    this.#closeSurplus();
  }

  /** Resolves when nobody reads the segment and its file is closed. */
  async retire(number: number): Promise<void> {
    const segment = this.#open.get(number);
    if (segment === undefined) return;
    if (segment.readers > 0) {
      await new Promise<void>((resolve) => {
        segment.onIdle = resolve;
      });
    }
    this.#forget(number, segment);
    await closeQuietly(segment);
  }

  /** Waits for all readers, then closes everything. */
  async close(): Promise<void> {
    for (const number of [...this.#open.keys()]) await this.retire(number);
  }

  #forget(number: number, segment: OpenSegment): void {
    if (this.#open.get(number) === segment) this.#open.delete(number);
  }

  #closeSurplus(): void {
    for (const [number, segment] of this.#open) {
      if (this.#open.size <= IDLE_FILES) return;
      if (segment.readers > 0 || segment.onIdle !== null) continue;
      this.#open.delete(number);
      void closeQuietly(segment);
    }
  }
}

/** A file that could not be opened needs no closing, and one that was only read loses nothing if closing fails. */
async function closeQuietly(segment: OpenSegment): Promise<void> {
  await segment.file.then((file) => file.close()).catch(() => undefined);
}
