import { corrupt } from "../errors.js";
import { FrameKind, SEGMENT_HEADER_BYTES, segmentName, TRAILER_BYTES } from "../format/format.js";
import type { FrameHeader } from "../format/frame-codec.js";
import type { Misfit } from "../state/log-state.js";
import type { FrameRecords } from "../write/frame-records.js";
import type { FrameScanner, ScannedFrame } from "./frame-scanner.js";
import type { ScanWindow } from "./scan-window.js";

/** Where a log ends. */
export interface LogEnd {
  /** The last segment. */
  readonly segment: number;
  /** Its length without what is cut. */
  readonly end: number;
  /** The offset of its last frame. */
  readonly lastFrame: number;
  /** That frame's checksum. */
  readonly previous: bigint;
  /** Up to where all was on stable storage before that frame was written. */
  readonly durable: number;
  /** Whether that frame is a seal. */
  readonly sealed: boolean;
}

/** What is done with the frames of a segment. */
export interface FrameSink {
  /** The frame at the head. */
  checkpoint(records: FrameRecords): Misfit | null;
  commit(records: FrameRecords): Misfit | null;
  /** The seal, before it is known whether anything follows. */
  seal(end: LogEnd, header: FrameHeader): Misfit | null;
  /** All up to here is sound; a seal at the very end does not count. */
  reached?(end: LogEnd): void;
}

/** What there is to know of a segment before it is scanned. */
export interface ScannedSegment {
  readonly path: string;
  readonly number: number;
  readonly headerChecksum: bigint;
  readonly isLast: boolean;
  /** Whether the log was closed properly. */
  readonly clean: boolean;
}

/** Reads one segment frame by frame, and judges what is wrong with it. */
export class SegmentScan {
  readonly #segment: ScannedSegment;
  readonly #window: ScanWindow;
  readonly #scanner: FrameScanner;
  readonly #records: FrameRecords;
  readonly #sink: FrameSink;

  constructor(segment: ScannedSegment, window: ScanWindow, scanner: FrameScanner, records: FrameRecords, sink: FrameSink) {
    this.#segment = segment;
    this.#window = window;
    this.#scanner = scanner;
    this.#records = records;
    this.#sink = sink;
  }

  /** @throws {WalrusError} `OCTOPII_WALRUS_CORRUPT` */
  async run(): Promise<LogEnd> {
    const { path, number, isLast, headerChecksum } = this.#segment;
    let end: LogEnd = {
      segment: number,
      end: SEGMENT_HEADER_BYTES,
      lastFrame: 0,
      previous: headerChecksum,
      durable: SEGMENT_HEADER_BYTES,
      sealed: false,
    };
    while (end.end < this.#window.size || end.lastFrame === 0) {
      const frame = await this.#scanner.read(end.end, this.#records);
      if (frame.damaged) {
        await this.#judge(end, frame);
        return end;
      }
      this.#apply(end, frame.header);
      const { kind, checksum, durable } = frame.header;
      const next = { segment: number, end: frame.end, lastFrame: end.end, previous: checksum, durable, sealed: kind === FrameKind.seal };
      if (next.sealed) return this.#afterSeal(end, next);
      end = next;
      this.#sink.reached?.(end);
    }
    if (!isLast) throw corrupt(path, end.end, `it ends without a seal, though ${segmentName(number + 1)} follows it`);
    return end;
  }

  /**
   * A seal that nothing follows is no end: a crash came before the next segment had a name. It is cut with all behind it, and made
   * again when its time comes.
   */
  #afterSeal(before: LogEnd, seal: LogEnd): LogEnd {
    const { path, isLast, clean } = this.#segment;
    if (isLast && clean) throw corrupt(path, before.end, "it ends with a seal, though the log was closed properly");
    if (isLast) return before;
    if (this.#window.size !== seal.end + TRAILER_BYTES) throw corrupt(path, seal.end, "it does not end right after its seal");
    return seal;
  }

  /** Returns if the damage at the end of the segment passes for a torn write; throws if it must be corruption. */
  async #judge(end: LogEnd, frame: ScannedFrame & { damaged: true }): Promise<void> {
    const { offset, problem } = frame;
    const { path, number, isLast, clean } = this.#segment;
    if (!frame.torn) throw corrupt(path, offset, problem);
    if (end.lastFrame === 0) throw corrupt(path, offset, `${problem}, within its head, which was durable before the file had its name`);
    if (!isLast) throw corrupt(path, offset, `${problem}, though ${segmentName(number + 1)} follows it`);
    if (clean) throw corrupt(path, offset, `${problem}, though the log was closed properly`);
    const later = await this.#scanner.find(end.end + 1, end.end + 1);
    if (later !== null) throw corrupt(path, offset, `${problem}, though a valid frame follows at ${later}, so this was once durable`);
  }

  #apply(end: LogEnd, header: FrameHeader): void {
    const { path } = this.#segment;
    if (header.previous !== end.previous) throw corrupt(path, end.end, "a frame that does not follow the one before it");
    const atHead = end.lastFrame === 0;
    if ((header.kind === FrameKind.checkpoint) !== atHead) throw corrupt(path, end.end, `a frame of kind ${header.kind} where none may be`);
    const misfit = this.#give(end, header, atHead);
    if (misfit !== null) throw corrupt(path, misfit.offset === 0 ? end.end : misfit.offset, misfit.problem);
  }

  #give(end: LogEnd, header: FrameHeader, atHead: boolean): Misfit | null {
    if (header.kind === FrameKind.seal) return this.#sink.seal(end, header);
    return atHead ? this.#sink.checkpoint(this.#records) : this.#sink.commit(this.#records);
  }

  /** How many bytes after `end` are not zeros that were written ahead. */
  async tornBytes(end: number): Promise<number> {
    const last = await this.#window.lastNonZero(end);
    return last === null ? 0 : last + 1 - end;
  }
}
