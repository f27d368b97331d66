import { viewOf } from "../format/bytes.js";
import { FRAME_HEADER_BYTES, RECORD_HEADER_BYTES, RecordType } from "../format/format.js";
import { writeFrameHeader } from "../format/frame-codec.js";
import type { Hasher } from "../format/hasher.js";
import {
  CHECKSUM_AT,
  checksumOutside,
  decodeCursorRecord,
  decodeTopicRecord,
  encodeCursorName,
  encodeTopicPayload,
  recordIndex,
  recordLength,
  recordTopic,
  recordType,
  writeRecordHeader,
} from "../format/record-codec.js";
import { RecordHasher } from "../format/record-hasher.js";
import { FrameRecords } from "./frame-records.js";

/** Payloads from here on are written from where they are; copying a shorter one costs less than a vector more in the write. */
export const VECTORED_FROM_BYTES: number = 64 * 1024;

const START_BYTES = 64 * 1024;
/** A buffer that one large flush has made longer than this is given back to the garbage collector afterwards. */
const KEEP_BYTES = 8 * 1024 * 1024;
/** Likewise for the list of checksums. */
const KEEP_CHECKSUM_BYTES = 1024 * 1024;

/** Where in the log a frame goes. */
export interface FramePlace {
  /** The seed of the segment's checksums. */
  readonly seed: bigint;
  /** The frame's offset in the segment. */
  readonly position: number;
  /** The checksum of what stands before it. */
  readonly previous: bigint;
  /** Up to which offset all is on stable storage. */
  readonly durable: number;
}

/** A frame that is ready to be written. */
export interface FinishedFrame {
  /** To be written back to back. Parts of the builder's buffer and of the callers' payloads: good until the builder is cleared. */
  readonly buffers: readonly Uint8Array[];
  readonly byteLength: number;
  readonly checksum: bigint;
}

/** Collects records, and makes a frame of them once it is known where in the log it goes. */
export class FrameBuilder {
  #bytes: Uint8Array = new Uint8Array(START_BYTES);
  #view: DataView = viewOf(this.#bytes);
  #length = FRAME_HEADER_BYTES;
  #outsideBytes = 0;
  #outside: Uint8Array[] = [];
  /** For each payload outside, where in `#bytes` it belongs. */
  #outsideAt: number[] = [];
  #checksums: Uint8Array = new Uint8Array(1024);
  #checksumView: DataView = viewOf(this.#checksums);
  #count = 0;
  /** What those of its records say that have their checksums: all of them, once it is finished. */
  readonly records: FrameRecords = new FrameRecords();
  /** For which place in which segment the checksums are; null while there are none. */
  #sealer: RecordHasher | null = null;
  #position = 0;
  /** Where in `#bytes` the first record without a checksum is, and how many payloads outside belong before it. */
  #sealedTo = FRAME_HEADER_BYTES;
  #sealedOutside = 0;
  #sealedOutsideBytes = 0;

  /** How many records there are. */
  get count(): number {
    return this.#count;
  }

  /** How long the frame will be. */
  get byteLength(): number {
    return this.#length + this.#outsideBytes;
  }

  /** Adds a record. A payload of `VECTORED_FROM_BYTES` or more is not copied: it must stay as it is until the frame is written. */
  add(type: number, topic: number, index: number, payload: Uint8Array | null): void {
    const length = payload === null ? 0 : payload.length;
    const copied = length < VECTORED_FROM_BYTES;
    const at = this.#length;
    const end = at + RECORD_HEADER_BYTES + (copied ? length : 0);
    if (end > this.#bytes.length) this.#grow(end);
    writeRecordHeader(this.#view, at, length, type, topic, index);
    if (payload !== null) {
      if (copied) this.#bytes.set(payload, at + RECORD_HEADER_BYTES);
      else this.#addOutside(payload, end);
    }
    this.#length = end;
    this.#count++;
  }

  /** Adds the record that declares a topic, or restates where it stands. */
  addTopic(id: number, name: string, first: number, next: number): void {
    this.add(RecordType.topic, id, first, encodeTopicPayload(name, next));
  }

  /** Adds the record that says where a cursor stands. */
  addCursor(topic: number, name: string, position: number): void {
    this.add(RecordType.cursor, topic, position, encodeCursorName(name));
  }

  #addOutside(payload: Uint8Array, at: number): void {
    this.#outside.push(payload);
    this.#outsideAt.push(at);
    this.#outsideBytes += payload.length;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = viewOf(larger);
  }

  /** How many bytes of records have no checksum yet. */
  get unsealedBytes(): number {
    return this.#length - this.#sealedTo;
  }

  /**
   * Fills in the checksums of the records that are there so far, for a frame at `position` in the segment with this seed: so that little is
   * left to do when the one before it is written. If the frame goes elsewhere after all, {@link finish} does them anew.
   */
  sealAhead(seed: bigint, position: number, hasher: Hasher): void {
    if (this.#sealer === null || this.#sealer.seed !== seed || this.#position !== position) {
      this.#sealer = new RecordHasher(hasher, seed);
      this.#position = position;
      this.#sealedTo = FRAME_HEADER_BYTES;
      this.#sealedOutside = 0;
      this.#sealedOutsideBytes = 0;
      this.records.clear();
    }
    try {
      this.#sealRecords(this.#sealer.begin(this.#bytes, this.#length), hasher);
    } catch (error) {
      this.#sealer = null;
      throw error;
    }
  }

  /** Fills in all checksums. */
  finish(kind: number, place: FramePlace, hasher: Hasher): FinishedFrame {
    const { seed, position, previous, durable } = place;
    this.sealAhead(seed, position, hasher);
    const digest = hasher.hash(this.#checksums.subarray(0, this.#count * 8), seed);
    const header = { kind, count: this.#count, bodyBytes: this.byteLength - FRAME_HEADER_BYTES, durable, previous, digest };
    const checksum = writeFrameHeader(this.#bytes, this.#view, header, position, seed, hasher);
    return { buffers: this.#pieces(), byteLength: this.byteLength, checksum };
  }

  #sealRecords(sealer: RecordHasher, hasher: Hasher): void {
    const { records } = this;
    const view = this.#view;
    const checksums = this.#checksumsFor(this.#count);
    let at = this.#sealedTo;
    let position = this.#position + at + this.#sealedOutsideBytes;
    for (let record = records.count; record < this.#count; record++) {
      const length = recordLength(view, at);
      const payloadAt = at + RECORD_HEADER_BYTES;
      const outside = this.#outsideFrom(payloadAt);
      const end = outside === null ? payloadAt + length : payloadAt;
      const checksum =
        outside === null
          ? sealer.checksum(at, end, position)
          : checksumOutside(this.#bytes, view, at, position, outside, sealer.seed, hasher);
      view.setBigUint64(at + CHECKSUM_AT, checksum, true);
      checksums.setBigUint64(record * 8, checksum, true);
      const type = recordType(view, at);
      records.add(type, recordTopic(view, at), recordIndex(view, at), position, length);
      if (type >= RecordType.topic) this.#note(type, at, records);
      at = end;
      position += RECORD_HEADER_BYTES + length;
    }
    this.#sealedTo = at;
  }

  /** The payload outside that belongs at `at`, the next that has no checksum yet; null if there is none. */
  #outsideFrom(at: number): Uint8Array | null {
    if (this.#sealedOutside === this.#outside.length || this.#outsideAt[this.#sealedOutside] !== at) return null;
    const payload = this.#outside[this.#sealedOutside++] ?? null;
    this.#sealedOutsideBytes += payload?.length ?? 0;
    return payload;
  }

  #checksumsFor(count: number): DataView {
    if (this.#checksums.length < count * 8) {
      const larger = new Uint8Array(count * 16);
      larger.set(this.#checksums);
      this.#setChecksums(larger);
    }
    return this.#checksumView;
  }

  #setChecksums(bytes: Uint8Array): void {
    this.#checksums = bytes;
    this.#checksumView = viewOf(bytes);
  }

  #note(type: number, at: number, records: FrameRecords): void {
    if (type === RecordType.topic) {
      const declaration = decodeTopicRecord(this.#bytes, this.#view, at);
      if (declaration !== null) records.declarations.push(declaration);
    } else if (type === RecordType.cursor || type === RecordType.dropCursor) {
      const cursor = decodeCursorRecord(this.#bytes, this.#view, at);
      if (cursor !== null) records.cursors.push(cursor);
    }
  }

  #pieces(): Uint8Array[] {
    const pieces: Uint8Array[] = [];
    let from = 0;
    for (const [place, payload] of this.#outside.entries()) {
      const at = this.#outsideAt[place] ?? from;
      pieces.push(this.#bytes.subarray(from, at), payload);
      from = at;
    }
    if (from < this.#length) pieces.push(this.#bytes.subarray(from, this.#length));
    return pieces;
  }

  /** Forgets all records, so that the builder can be used again. */
  clear(): void {
    this.#length = FRAME_HEADER_BYTES;
    this.#outsideBytes = 0;
    this.#outside = [];
    this.#outsideAt = [];
    this.#count = 0;
    this.#sealer = null;
    this.#sealedTo = FRAME_HEADER_BYTES;
    if (this.#bytes.length > KEEP_BYTES) {
      this.#bytes = new Uint8Array(START_BYTES);
      this.#view = viewOf(this.#bytes);
    }
    if (this.#checksums.length > KEEP_CHECKSUM_BYTES) this.#setChecksums(new Uint8Array(1024));
  }
}
