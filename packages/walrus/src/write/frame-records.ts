import type { CursorRecord, TopicDeclaration } from "../format/record-codec.js";

const START_CAPACITY = 1024;
/** Columns that one huge frame has made longer than this are not kept for the next. */
const KEEP_CAPACITY = 256 * 1024;

function resized<T extends Uint8Array | Uint32Array | Float64Array>(from: T, to: T): T {
  to.set(from.subarray(0, to.length));
  return to;
}

/** What the records of one frame say, payloads aside, in columns that are used again for the next frame. */
export class FrameRecords {
  count = 0;
  types: Uint8Array = new Uint8Array(0);
  topics: Uint32Array = new Uint32Array(0);
  indexes: Float64Array = new Float64Array(0);
  /** Where each record begins in its segment. */
  offsets: Uint32Array = new Uint32Array(0);
  /** Payload lengths. */
  lengths: Uint32Array = new Uint32Array(0);
  /** What the topic records declare, in their order. */
  readonly declarations: TopicDeclaration[] = [];
  /** What the cursors' records say, in their order. */
  readonly cursors: CursorRecord[] = [];

  clear(): void {
    this.count = 0;
    if (this.declarations.length > 0) this.declarations.length = 0;
    if (this.cursors.length > 0) this.cursors.length = 0;
    if (this.types.length > KEEP_CAPACITY) this.#resize(0);
  }

  add(type: number, topic: number, index: number, offset: number, length: number): void {
    const at = this.count++;
    if (at === this.types.length) this.#resize(Math.max(START_CAPACITY, at * 2));
    this.types[at] = type;
    this.topics[at] = topic;
    this.indexes[at] = index;
    this.offsets[at] = offset;
    this.lengths[at] = length;
  }

  #resize(capacity: number): void {
    this.types = resized(this.types, new Uint8Array(capacity));
    this.topics = resized(this.topics, new Uint32Array(capacity));
    this.indexes = resized(this.indexes, new Float64Array(capacity));
    this.offsets = resized(this.offsets, new Uint32Array(capacity));
    this.lengths = resized(this.lengths, new Uint32Array(capacity));
  }
}
