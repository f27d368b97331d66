import type { SeededRandom } from "../random/seeded-random.js";
import { applyMutation, type Mutation } from "./mutation.js";
import { SparseBytes } from "./sparse-bytes.js";
import { type SurvivalMode, settleFile, tearWrite } from "./survival.js";

/** Above this many changes or bytes, the page cache writes the oldest back on its own, as a kernel does. */
const MAX_PENDING_CHANGES = 4096;
const MAX_PENDING_BYTES = 16 * 1024 * 1024;

/** A file: what the page cache shows, what the disk has, and the changes between them in order. */
export class FileNode {
  readonly id: number;
  cached: SparseBytes = new SparseBytes();
  durable: SparseBytes = new SparseBytes();
  #pending: Mutation[] = [];
  #pendingBytes = 0;
  /** The number of changes that ever left the pending list. */
  #settled = 0;

  constructor(id: number) {
    this.id = id;
  }

  /** Counts every change made so far; a flush that starts now covers those. */
  get version(): number {
    return this.#settled + this.#pending.length;
  }

  /** The number of changes that a power failure can undo. */
  get pendingChanges(): number {
    return this.#pending.length;
  }

  /** Makes a change in the page cache. */
  change(mutation: Mutation): void {
    applyMutation(this.cached, mutation);
    this.#pending.push(mutation);
    if (mutation.kind === "write") this.#pendingBytes += mutation.bytes.length;
    if (this.#pending.length > MAX_PENDING_CHANGES || this.#pendingBytes > MAX_PENDING_BYTES) {
      this.flush(this.#settled + Math.ceil(this.#pending.length / 2));
    }
  }

  /** Puts all changes up to `version` on the disk. */
  flush(version: number): void {
    for (const mutation of this.#take(version)) applyMutation(this.durable, mutation);
  }

  /**
   * A flush that failed: each change up to `version` may have reached the disk, whole or torn, and counts as clean in any case. The
   * page cache goes on to show the lost changes (`keepCache`), or what the disk has.
   */
  failFlush(version: number, keepCache: boolean, random: SeededRandom): void {
    settleFile(this.durable, this.#take(version), random.pick(["lose", "prefix", "subset"] as const), random);
    if (keepCache) return;
    this.cached = this.durable.clone();
    for (const mutation of this.#pending) applyMutation(this.cached, mutation);
  }

  /** A write that failed: some of its sectors may be in the page cache. */
  failWrite(position: number, bytes: Uint8Array, random: SeededRandom): void {
    const image = this.cached.clone();
    tearWrite(image, position, bytes, random);
    const length = Math.max(0, Math.min(bytes.length, image.size - position));
    const torn = new Uint8Array(length);
    image.read(torn, position);
    if (length > 0) this.change({ kind: "write", position, bytes: torn });
  }

  /** The power fails: the page cache is gone, and unsynced changes fare as `mode` says. */
  losePower(mode: SurvivalMode, random: SeededRandom): void {
    settleFile(this.durable, this.#take(this.version), mode, random);
    this.cached = this.durable.clone();
  }

  /** Flips bits at rest, under the page cache's feet and in it. */
  corrupt(offset: number, mask: number): void {
    for (const image of [this.durable, this.cached]) {
      if (offset >= image.size) continue;
      const byte = new Uint8Array(1);
      image.read(byte, offset);
      byte[0] = (byte[0] as number) ^ mask;
      image.write(byte, offset);
    }
  }

  #take(version: number): Mutation[] {
    const taken = this.#pending.splice(0, Math.max(0, version - this.#settled));
    this.#settled += taken.length;
    for (const mutation of taken) if (mutation.kind === "write") this.#pendingBytes -= mutation.bytes.length;
    return taken;
  }
}

/** What a name in a directory leads to. */
export type Entry = FileNode | DirectoryNode;

/** A directory: the entries that processes see, and those that the disk has. */
export class DirectoryNode {
  readonly id: number;
  cached: Map<string, Entry> = new Map<string, Entry>();
  durable: Map<string, Entry> = new Map<string, Entry>();

  constructor(id: number) {
    this.id = id;
  }
}
