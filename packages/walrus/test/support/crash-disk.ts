import type { File, FileLock, FileSystem, OpenOptions } from "@octopii/interfaces";

interface Inode {
  /** What readers see. */
  current: Uint8Array;
  /** What survives a crash for certain. */
  durable: Uint8Array;
}

/** A change that a crash may keep or lose. */
type Pending =
  | { readonly kind: "write"; readonly inode: Inode; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly inode: Inode; readonly size: number }
  | { readonly kind: "link"; readonly path: string; readonly inode: Inode }
  | { readonly kind: "unlink"; readonly path: string }
  | { readonly kind: "rename"; readonly from: string; readonly to: string; readonly inode: Inode };

export type Operation = "open" | "write" | "sync" | "truncate" | "rename" | "remove" | "syncDirectory" | "read";

function osError(code: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${path}`), { code });
}

function withWrite(content: Uint8Array, position: number, bytes: Uint8Array): Uint8Array {
  const grown = new Uint8Array(Math.max(content.length, position + bytes.length));
  grown.set(content);
  grown.set(bytes, position);
  return grown;
}

function withSize(content: Uint8Array, size: number): Uint8Array {
  const sized = new Uint8Array(size);
  sized.set(content.subarray(0, size));
  return sized;
}

/** A small generator, so that samples repeat. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * One directory in memory whose contents are volatile: writes until they are synced, names until the directory is. A write is torn at
 * any of a few places. `onIo` sees each change while it is still pending.
 */
export class CrashDisk implements FileSystem {
  readonly #names = new Map<string, Inode>();
  readonly #durableNames = new Map<string, Inode>();
  #pending: Pending[] = [];
  #locked = false;
  #confirmed = false;
  readonly #pieces: number;
  onIo: ((operation: Operation, path: string) => Promise<void>) | null = null;
  /** Gives the error that an operation fails with, after it may have had its effect on what readers see. */
  fault: ((operation: Operation, path: string) => Error | null) | null = null;

  constructor(files: ReadonlyMap<string, Uint8Array> = new Map(), pieces = 4) {
    this.#pieces = pieces;
    for (const [path, bytes] of files) {
      const inode: Inode = { current: bytes.slice(), durable: bytes.slice() };
      this.#names.set(path, inode);
      this.#durableNames.set(path, inode);
    }
  }

  /** All files as readers see them. */
  files(): Map<string, Uint8Array> {
    return new Map([...this.#names].sort(([a], [b]) => (a < b ? -1 : 1)).map(([path, inode]) => [path, inode.current.slice()]));
  }

  get isLocked(): boolean {
    return this.#locked;
  }

  /** The disk as the next process finds it when this one is killed and the machine runs on: what is pending is still pending. */
  afterKill(): CrashDisk {
    const disk = new CrashDisk(new Map(), this.#pieces);
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode): Inode => {
      const copy = copies.get(inode) ?? { current: inode.current.slice(), durable: inode.durable.slice() };
      copies.set(inode, copy);
      return copy;
    };
    for (const [path, inode] of this.#names) disk.#names.set(path, copyOf(inode));
    for (const [path, inode] of this.#durableNames) disk.#durableNames.set(path, copyOf(inode));
    disk.#pending = this.#pending.map((change) => ("inode" in change ? { ...change, inode: copyOf(change.inode) } : change));
    return disk;
  }

  /** As some systems do after a failed flush: what is pending stays visible, but no later flush makes it durable. */
  forgetPending(): void {
    this.#pending = [];
  }

  /** Damages a byte behind everybody's back. */
  overwrite(path: string, at: number, byte: number): void {
    this.#inode(path).current[at] = byte;
  }

  /** What a crash now could leave, in every combination if there are at most `most` pending changes, and otherwise in `samples` of them. */
  crashes(random: () => number, most = 6, samples = 48): CrashDisk[] {
    const count = this.#pending.length;
    if (count <= most) return Array.from({ length: 2 ** count }, (_, mask) => this.#after((at) => (mask & (1 << at)) !== 0));
    const prefixes = Array.from({ length: count + 1 }, (_, kept) => this.#after((at) => at < kept));
    const mixed = Array.from({ length: samples }, () => this.#after(() => random() < 0.5));
    return [...prefixes, ...mixed];
  }

  #after(keeps: (at: number) => boolean): CrashDisk {
    const names = new Map(this.#durableNames);
    const contents = new Map<Inode, Uint8Array>();
    const contentOf = (inode: Inode): Uint8Array => contents.get(inode) ?? inode.durable;
    for (const [at, change] of this.#pending.entries()) {
      if (!keeps(at)) continue;
      if (change.kind === "write") contents.set(change.inode, withWrite(contentOf(change.inode), change.position, change.bytes));
      else if (change.kind === "truncate") contents.set(change.inode, withSize(contentOf(change.inode), change.size));
      else applyName(names, change);
    }
    return new CrashDisk(new Map([...names].map(([path, inode]) => [path, contentOf(inode)])), this.#pieces);
  }

  async #io(operation: Operation, path: string): Promise<void> {
    await this.onIo?.(operation, path);
    const error = this.fault?.(operation, path) ?? null;
    if (error !== null) throw error;
  }

  /** A log may still be refused until its lock is confirmed, so nothing may change before. */
  #checkConfirmed(path: string): void {
    if (this.#locked && !this.#confirmed) throw new Error(`${path} is changed under a lock that is not confirmed`);
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw osError("ENOENT", path);
    return inode;
  }

  async open(path: string, options: OpenOptions): Promise<File> {
    if (options.mode !== "read") this.#checkConfirmed(path);
    if (options.mode === "create") {
      if (this.#names.has(path)) throw osError("EEXIST", path);
      const inode: Inode = { current: new Uint8Array(0), durable: new Uint8Array(0) };
      this.#names.set(path, inode);
      this.#pending.push({ kind: "link", path, inode });
    }
    const inode = this.#inode(path);
    await this.#io("open", path);
    return this.#file(inode, path, options);
  }

  #file(inode: Inode, path: string, options: OpenOptions): File {
    let open = true;
    const check = (writing: boolean): void => {
      if (!open || (writing && options.mode === "read")) throw osError("EBADF", path);
    };
    return {
      write: async (buffers, position) => {
        check(true);
        const bytes = Buffer.concat(buffers);
        inode.current = withWrite(inode.current, position, bytes);
        const parts = this.#torn(inode, position, bytes);
        this.#pending.push(...parts);
        await this.#io("write", path);
        if (options.durableWrites === true) this.#settle((change) => parts.includes(change));
      },
      read: async (buffer, position) => {
        check(false);
        await this.#io("read", path);
        const part = inode.current.subarray(position, position + buffer.length);
        buffer.set(part);
        return part.length;
      },
      sync: async () => {
        check(true);
        await this.#io("sync", path);
        this.#settle((change) => (change.kind === "write" || change.kind === "truncate") && change.inode === inode);
      },
      truncate: async (size) => {
        check(true);
        inode.current = withSize(inode.current, size);
        this.#pending.push({ kind: "truncate", inode, size });
        await this.#io("truncate", path);
      },
      size: async () => {
        check(false);
        return inode.current.length;
      },
      close: async () => {
        open = false;
      },
    };
  }

  #torn(inode: Inode, position: number, bytes: Uint8Array): Pending[] {
    // The first cut goes through a frame's header, the others where they fall.
    const head = 20;
    const size = Math.max(16, Math.ceil((bytes.length - head) / (this.#pieces - 1)));
    const cuts = [0, ...Array.from({ length: this.#pieces - 1 }, (_, cut) => head + cut * size)].filter((cut) => cut < bytes.length);
    return cuts.map((cut, at) => ({ kind: "write", inode, position: position + cut, bytes: bytes.slice(cut, cuts[at + 1]) }));
  }

  #settle(isDurable: (change: Pending) => boolean): void {
    const rest: Pending[] = [];
    for (const change of this.#pending) {
      if (!isDurable(change)) rest.push(change);
      else if (change.kind === "write") change.inode.durable = withWrite(change.inode.durable, change.position, change.bytes);
      else if (change.kind === "truncate") change.inode.durable = withSize(change.inode.durable, change.size);
      else applyName(this.#durableNames, change);
    }
    this.#pending = rest;
  }

  async readDirectory(directory: string): Promise<string[]> {
    const inside = [...this.#names.keys()]
      .filter((path) => path.startsWith(`${directory}/`))
      .map((path) => path.slice(directory.length + 1));
    return [...new Set(inside.map((path) => path.split("/")[0] ?? path))].sort();
  }

  async rename(from: string, to: string): Promise<void> {
    this.#checkConfirmed(to);
    const inode = this.#inode(from);
    this.#names.delete(from);
    this.#names.set(to, inode);
    this.#pending.push({ kind: "rename", from, to, inode });
    await this.#io("rename", to);
  }

  async remove(path: string): Promise<void> {
    this.#checkConfirmed(path);
    this.#inode(path);
    const error = this.fault?.("remove", path) ?? null;
    if (error !== null) throw error;
    this.#names.delete(path);
    this.#pending.push({ kind: "unlink", path });
    await this.onIo?.("remove", path);
  }

  async makeDirectory(): Promise<void> {
    // The one directory is there.
  }

  async syncDirectory(path: string): Promise<void> {
    await this.#io("syncDirectory", path);
    this.#settle((change) => change.kind === "link" || change.kind === "unlink" || change.kind === "rename");
  }

  async lock(path: string): Promise<FileLock> {
    if (this.#locked) throw osError("ELOCKED", `${path} is in use by process 1`);
    this.#locked = true;
    this.#confirmed = false;
    return {
      confirm: async () => {
        this.#confirmed = true;
      },
      release: async () => {
        this.#locked = false;
      },
    };
  }
}

function applyName(names: Map<string, Inode>, change: Pending & { kind: "link" | "unlink" | "rename" }): void {
  if (change.kind === "link") names.set(change.path, change.inode);
  else if (change.kind === "unlink") names.delete(change.path);
  else {
    if (names.get(change.from) === change.inode) names.delete(change.from);
    names.set(change.to, change.inode);
  }
}
