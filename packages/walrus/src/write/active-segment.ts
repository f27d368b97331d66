import type { File, FileSystem } from "@octopii/interfaces";
import type { FramePlace } from "./frame-builder.js";
import { ZeroFill } from "./zero-fill.js";

/** Frames up to this length are worth filling ahead for: longer ones spend their time on their own bytes. */
const SMALL_FRAME_BYTES = 64 * 1024;

/** What is known of a segment that is opened for writing. */
export interface ActiveSegmentParts {
  readonly fileSystem: FileSystem;
  readonly number: number;
  readonly path: string;
  readonly seed: bigint;
  readonly end: number;
  readonly previous: bigint;
  readonly used: boolean;
  /** How far ahead the file is filled with zeros, and how far at most. */
  readonly fillAheadBytes: number;
  readonly segmentBytes: number;
}

/** The segment that is written to. One write or flush at a time; filling ahead goes on beside them. */
export class ActiveSegment {
  readonly number: number;
  readonly path: string;
  readonly seed: bigint;
  readonly #fileSystem: FileSystem;
  readonly #fill: ZeroFill;
  /** Every write to it is durable when it returns. */
  readonly #durable: File;
  /** Writes to it are not, until it is synced. Opened when first needed. */
  #plain: Promise<File> | null = null;
  #end: number;
  #durableEnd: number;
  #previous: bigint;
  #used: boolean;

  private constructor(parts: ActiveSegmentParts, durable: File) {
    this.number = parts.number;
    this.path = parts.path;
    this.seed = parts.seed;
    this.#fileSystem = parts.fileSystem;
    this.#durable = durable;
    this.#fill = new ZeroFill(parts.fillAheadBytes, parts.segmentBytes, () => this.#plainFile());
    this.#end = parts.end;
    this.#durableEnd = parts.end;
    this.#previous = parts.previous;
    this.#used = parts.used;
  }

  static async open(parts: ActiveSegmentParts): Promise<ActiveSegment> {
    return new ActiveSegment(parts, await parts.fileSystem.open(parts.path, { mode: "readWrite", durableWrites: true }));
  }

  /** Its length, zeros ahead left out: where the next frame goes. */
  get end(): number {
    return this.#end;
  }

  /** The checksum of its last frame. */
  get previous(): bigint {
    return this.#previous;
  }

  /** Whether it has any frame besides its head. */
  get used(): boolean {
    return this.#used;
  }

  /** The bytes that were written and are not on stable storage for certain. */
  get unsyncedBytes(): number {
    return this.#end - this.#durableEnd;
  }

  /** Where the next frame goes. */
  get place(): FramePlace {
    return { seed: this.seed, position: this.#end, previous: this.#previous, durable: this.#durableEnd };
  }

  /** Writes a frame at the end. @param durable - it and all before it are on stable storage when this resolves. */
  async write(buffers: readonly Uint8Array[], byteLength: number, checksum: bigint, durable: boolean): Promise<void> {
    if (this.#fill.isInTheWayOf(this.#end + byteLength)) await this.#fill.settled();
    if (durable && this.#durableEnd === this.#end) {
      await this.#durable.write(buffers, this.#end);
    } else {
      const file = await this.#plainFile();
      await file.write(buffers, this.#end);
      if (durable) await file.sync();
    }
    this.#end += byteLength;
    if (durable) this.#durableEnd = this.#end;
    this.#previous = checksum;
    this.#used = true;
    if (durable && byteLength <= SMALL_FRAME_BYTES) this.#fill.keepAheadOf(this.#end);
  }

  /** Everything that was written is on stable storage when this resolves. */
  async sync(): Promise<void> {
    const end = this.#end;
    if (this.#durableEnd === end) return;
    await (await this.#plainFile()).sync();
    this.#durableEnd = end;
  }

  /** Everything is on stable storage, and the file ends where the log does. */
  async trim(): Promise<void> {
    await this.#fill.settled();
    const cuts = this.#fill.end > this.#end;
    if (cuts) {
      const file = await this.#plainFile();
      await file.truncate(this.#end);
      await file.sync();
      this.#durableEnd = this.#end;
    } else await this.sync();
  }

  async close(): Promise<void> {
    await this.#fill.settled().catch(() => undefined);
    await this.#durable.close();
    const plain = await this.#plain?.catch(() => null);
    await plain?.close();
  }

  #plainFile(): Promise<File> {
    this.#plain ??= this.#fileSystem.open(this.path, { mode: "readWrite" });
    return this.#plain;
  }
}
