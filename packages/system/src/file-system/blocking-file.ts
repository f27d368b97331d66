import { closeSync, fdatasyncSync, fstatSync, ftruncateSync, openSync, readSync, writeSync, writevSync } from "node:fs";
import type { File, OpenOptions } from "@octopii/interfaces";
import { accessFlags, durableFlags, flushesByFlag, maxVectors, remainder, stalled } from "./node-file.js";

/**
 * Opens a file whose operations block the thread until they are done, and then resolve at once: no hand-over to the thread pool and back,
 * which on a fast disk is a good part of a small flush. For worker threads that have nothing else to do.
 */
export async function openBlockingFile(path: string, options: OpenOptions): Promise<File> {
  const durable = options.durableWrites === true && options.mode !== "read";
  const descriptor = openSync(path, accessFlags[options.mode] | (durable ? durableFlags : 0), 0o644);
  return new BlockingFile(path, descriptor, durable && !flushesByFlag);
}

class BlockingFile implements File {
  readonly #path: string;
  readonly #descriptor: number;
  readonly #syncAfterWrite: boolean;
  #isClosed = false;

  constructor(path: string, descriptor: number, syncAfterWrite: boolean) {
    this.#path = path;
    this.#descriptor = descriptor;
    this.#syncAfterWrite = syncAfterWrite;
  }

  async write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    this.#check();
    let at = position;
    for (let rest = buffers; rest.length > 0; ) {
      const part = rest.length > maxVectors ? rest.slice(0, maxVectors) : rest;
      const only = part[0];
      const count =
        part.length === 1 && only !== undefined
          ? writeSync(this.#descriptor, only, 0, only.length, at)
          : writevSync(this.#descriptor, part, at);
      const left = remainder(rest, count);
      if (count === 0 && left.length > 0) throw stalled(this.#path);
      at += count;
      rest = left;
    }
    if (this.#syncAfterWrite) fdatasyncSync(this.#descriptor);
  }

  async read(buffer: Uint8Array, position: number): Promise<number> {
    this.#check();
    let filled = 0;
    while (filled < buffer.length) {
      const count = readSync(this.#descriptor, buffer, filled, buffer.length - filled, position + filled);
      if (count === 0) break;
      filled += count;
    }
    return filled;
  }

  async sync(): Promise<void> {
    this.#check();
    fdatasyncSync(this.#descriptor);
  }

  async truncate(size: number): Promise<void> {
    this.#check();
    ftruncateSync(this.#descriptor, size);
  }

  async size(): Promise<number> {
    this.#check();
    return fstatSync(this.#descriptor).size;
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    closeSync(this.#descriptor);
  }

  #check(): void {
    if (!this.#isClosed) return;
    const error: NodeJS.ErrnoException = new Error(`EBADF: ${this.#path} is closed; open it again`);
    error.code = "EBADF";
    throw error;
  }
}
