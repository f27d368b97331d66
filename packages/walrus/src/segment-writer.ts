import type { File, FileSystem } from "@octopii/interfaces";
import { FrameKind, SEGMENT_HEADER_BYTES, segmentName, TEMPORARY_SUFFIX } from "./format.js";
import { FrameBuilder, type FramePlace } from "./frame-builder.js";
import { FrameRecords } from "./frame-records.js";
import type { Hasher } from "./hasher.js";
import type { LogState } from "./log-state.js";
import { encodeSegmentHeader, segmentSeed } from "./segment-header.js";

/** The segment that is written to. */
export interface ActiveSegment {
  readonly number: number;
  readonly path: string;
  /** Every write to it is durable when it returns. */
  readonly file: File;
  readonly seed: bigint;
  /** Its length: where the next frame goes. */
  end: number;
  /** The checksum of its last frame. */
  previous: bigint;
  /** Whether it has any frame besides its head. */
  used: boolean;
}

/** Where the next frame goes. */
export function nextPlace(segment: ActiveSegment): FramePlace {
  return { seed: segment.seed, position: segment.end, previous: segment.previous };
}

/** Makes and seals segments. */
export class SegmentWriter {
  readonly #fileSystem: FileSystem;
  readonly #directory: string;
  readonly #logId: Uint8Array;
  readonly #hasher: Hasher;

  constructor(fileSystem: FileSystem, directory: string, logId: Uint8Array, hasher: Hasher) {
    this.#fileSystem = fileSystem;
    this.#directory = directory;
    this.#logId = logId;
    this.#hasher = hasher;
  }

  path(number: number): string {
    return `${this.#directory}/${segmentName(number)}`;
  }

  seed(number: number): bigint {
    return segmentSeed(this.#logId, number, this.#hasher);
  }

  /** Opens an existing segment for writing at its end. */
  async open(number: number, end: number, previous: bigint, used: boolean): Promise<ActiveSegment> {
    const path = this.path(number);
    const file = await this.#fileSystem.open(path, { mode: "readWrite", durableWrites: true });
    return { number, path, file, seed: this.seed(number), end, previous, used };
  }

  /**
   * Makes segment `number`, whose head restates `state`. It gets its name only when its head is durable, so a segment whose head is bad
   * was damaged later.
   */
  async create(number: number, previousSeal: bigint, state: LogState): Promise<ActiveSegment> {
    const { bytes: header, checksum } = encodeSegmentHeader({ number, logId: this.#logId, previous: previousSeal }, this.#hasher);
    const builder = new FrameBuilder();
    state.writeCheckpoint(builder);
    const place = { seed: this.seed(number), position: SEGMENT_HEADER_BYTES, previous: checksum };
    const head = builder.finish(FrameKind.checkpoint, place, this.#hasher, new FrameRecords());
    await this.#writeWhole(this.path(number), [header, ...head.buffers]);
    const end = SEGMENT_HEADER_BYTES + head.byteLength;
    state.segments.add(number, end);
    return this.open(number, end, head.checksum, false);
  }

  /** Ends a segment; gives the checksum of its seal. */
  async seal(segment: ActiveSegment, state: LogState): Promise<bigint> {
    const seal = new FrameBuilder().finish(FrameKind.seal, nextPlace(segment), this.#hasher, new FrameRecords());
    await segment.file.write(seal.buffers, segment.end);
    state.segments.lengthen(seal.byteLength);
    await segment.file.close();
    return seal.checksum;
  }

  async #writeWhole(path: string, buffers: readonly Uint8Array[]): Promise<void> {
    await writeWholeFile(this.#fileSystem, this.#directory, path, buffers);
  }
}

/** Makes a file that after a crash is there whole, or not at all. */
export async function writeWholeFile(
  fileSystem: FileSystem,
  directory: string,
  path: string,
  buffers: readonly Uint8Array[],
): Promise<void> {
  const temporary = path + TEMPORARY_SUFFIX;
  const file = await fileSystem.open(temporary, { mode: "create" });
  try {
    await file.write(buffers, 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(temporary, path);
  await fileSystem.syncDirectory(directory);
}
