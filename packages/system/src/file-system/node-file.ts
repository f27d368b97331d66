import { close, constants, fdatasync, fstat, ftruncate, open, read, type Stats, write, writev } from "node:fs";
import type { File, OpenOptions } from "@octopii/interfaces";
import { settleValue, settleVoid } from "./settle.js";

/** Linux writes and flushes in one call; elsewhere `O_DSYNC` is missing or does not reach the drive, so a sync follows each write. */
export const flushesByFlag: boolean = process.platform === "linux";

/** The least that every system takes in one vectored write (`IOV_MAX` is 1,024 on Linux and macOS). */
export const maxVectors = 1024;

/** The flags of each mode. */
export const accessFlags: Readonly<Record<OpenOptions["mode"], number>> = {
  read: constants.O_RDONLY,
  readWrite: constants.O_RDWR,
  create: constants.O_RDWR | constants.O_CREAT | constants.O_EXCL,
};

/** The flags that have every write flushed, where one call does both. */
export const durableFlags: number = flushesByFlag ? constants.O_DSYNC : 0;

/** Opens a file as the `FileSystem` port asks. */
export async function openNodeFile(path: string, options: OpenOptions): Promise<File> {
  const durable = options.durableWrites === true && options.mode !== "read";
  const flags = accessFlags[options.mode] | (durable ? durableFlags : 0);
  const descriptor = await settleValue<number>((done) => open(path, flags, 0o644, done));
  return new NodeFile(path, descriptor, durable && !flushesByFlag);
}

/** What is left of `buffers` once the first `written` bytes are gone. */
export function remainder(buffers: readonly Uint8Array[], written: number): Uint8Array[] {
  let skip = written;
  let at = 0;
  let head = buffers[0];
  while (head !== undefined && skip >= head.length) {
    skip -= head.length;
    head = buffers[++at];
  }
  if (head === undefined) return [];
  return [skip === 0 ? head : head.subarray(skip), ...buffers.slice(at + 1)];
}

/** A short count with nothing written and no error would loop for ever; no system that we know does it, so it is an error. */
export function stalled(path: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`EIO: a write to ${path} took no bytes; check the disk and its free space`);
  error.code = "EIO";
  return error;
}

class NodeFile implements File {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #syncAfterWrite: boolean;
  #closed: Promise<void> | null = null;

  constructor(path: string, descriptor: number, syncAfterWrite: boolean) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#syncAfterWrite = syncAfterWrite;
  }

  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    const written = new Promise<void>((resolve, reject) => {
      if (this.#refuse(reject)) return;
      this.#writeFrom(buffers, position, resolve, reject);
    });
    return this.#syncAfterWrite ? written.then(() => this.sync()) : written;
  }

  /** A closed descriptor's number may already name another file, so it is never used again. */
  #refuse(reject: (error: Error) => void): boolean {
    if (this.#closed === null) return false;
    const error: NodeJS.ErrnoException = new Error(`EBADF: ${this.#path} is closed; open it again`);
    error.code = "EBADF";
    reject(error);
    return true;
  }

  #writeFrom(buffers: readonly Uint8Array[], position: number, resolve: () => void, reject: (error: Error) => void): void {
    const part = buffers.length > maxVectors ? buffers.slice(0, maxVectors) : buffers;
    let wanted = 0;
    for (const buffer of part) wanted += buffer.length;
    const onWritten = (error: Error | null, count: number): void => {
      if (error !== null && error !== undefined) reject(error);
      else if (count === 0 && wanted > 0) reject(stalled(this.#path));
      else if (count === wanted && part.length === buffers.length) resolve();
      else this.#writeFrom(remainder(buffers, count), position + count, resolve, reject);
    };
    const only = part[0];
    if (only === undefined) resolve();
    else if (part.length === 1) write(this.#descriptor, only, 0, only.length, position, onWritten);
    else writev(this.#descriptor, part, position, onWritten);
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    return new Promise((resolve, reject) => {
      if (this.#refuse(reject)) return;
      const readFrom = (filled: number): void => {
        read(this.#descriptor, buffer, filled, buffer.length - filled, position + filled, (error, count) => {
          if (error !== null) reject(error);
          else if (count === 0 || filled + count === buffer.length) resolve(filled + count);
          else readFrom(filled + count);
        });
      };
      readFrom(0);
    });
  }

  sync(): Promise<void> {
    if (this.#closed !== null) return new Promise((_, reject) => void this.#refuse(reject));
    return settleVoid((done) => fdatasync(this.#descriptor, done));
  }

  truncate(size: number): Promise<void> {
    if (this.#closed !== null) return new Promise((_, reject) => void this.#refuse(reject));
    return settleVoid((done) => ftruncate(this.#descriptor, size, done));
  }

  async size(): Promise<number> {
    if (this.#closed !== null) return new Promise((_, reject) => void this.#refuse(reject));
    return (await settleValue<Stats>((done) => fstat(this.#descriptor, done))).size;
  }

  close(): Promise<void> {
    this.#closed ??= settleVoid((done) => close(this.#descriptor, done));
    return this.#closed;
  }
}
