import type { FileSystem } from "@octopii/interfaces";
import { FrameKind, SEGMENT_HEADER_BYTES, segmentName, TEMPORARY_SUFFIX } from "../format/format.js";
import type { Hasher } from "../format/hasher.js";
import { encodeSegmentHeader, segmentSeed } from "../format/segment-header.js";
import type { EntryTable } from "../state/entry-table.js";
import type { LogState } from "../state/log-state.js";
import { ActiveSegment } from "./active-segment.js";
import { FrameBuilder } from "./frame-builder.js";
import { buildSeal } from "./seal.js";

/** What the writer of segments works with. */
export interface SegmentWriterParts {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly logId: Uint8Array;
  readonly hasher: Hasher;
  readonly segmentBytes: number;
  readonly fillAheadBytes: number;
}

/** Makes and seals segments. */
export class SegmentWriter {
  readonly #parts: SegmentWriterParts;

  constructor(parts: SegmentWriterParts) {
    this.#parts = parts;
  }

  path(number: number): string {
    return `${this.#parts.directory}/${segmentName(number)}`;
  }

  seed(number: number): bigint {
    return segmentSeed(this.#parts.logId, number, this.#parts.hasher);
  }

  /** Opens an existing segment for writing at its end. */
  open(number: number, end: number, previous: bigint, used: boolean): Promise<ActiveSegment> {
    const { fileSystem, fillAheadBytes, segmentBytes } = this.#parts;
    const path = this.path(number);
    return ActiveSegment.open({ fileSystem, number, path, seed: this.seed(number), end, previous, used, fillAheadBytes, segmentBytes });
  }

  /**
   * Makes segment `number`, whose head restates `state`. It gets its name only when its head is durable, so a segment whose head is bad
   * was damaged later.
   */
  async create(number: number, previousSeal: bigint, state: LogState): Promise<ActiveSegment> {
    const { fileSystem, directory, hasher, logId } = this.#parts;
    const { bytes: header, checksum } = encodeSegmentHeader({ number, logId, previous: previousSeal }, hasher);
    const builder = new FrameBuilder();
    state.writeCheckpoint(builder);
    const place = { seed: this.seed(number), position: SEGMENT_HEADER_BYTES, previous: checksum, durable: SEGMENT_HEADER_BYTES };
    const head = builder.finish(FrameKind.checkpoint, place, hasher);
    await writeWholeFile(fileSystem, directory, this.path(number), [header, ...head.buffers]);
    const end = SEGMENT_HEADER_BYTES + head.byteLength;
    state.segments.add(number, end, end);
    return this.open(number, end, head.checksum, false);
  }

  /** Ends a segment, durably; gives the checksum of its seal and the tables that are on stable storage now. */
  async seal(segment: ActiveSegment, state: LogState): Promise<{ checksum: bigint; tables: EntryTable[] }> {
    // A seal is written only when all before it is durable, so that a torn one proves nothing about what it follows.
    await segment.sync();
    const seal = buildSeal(state, segment.number, segment.place, this.#parts.hasher);
    await segment.write(seal.buffers, seal.byteLength, seal.checksum, true);
    await segment.trim();
    state.segments.lengthen(seal.byteLength);
    state.segments.countFramework(segment.number, seal.byteLength);
    await segment.close();
    return { checksum: seal.checksum, tables: seal.apply() };
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
