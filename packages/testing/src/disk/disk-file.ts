import type { File } from "@octopii/interfaces";
import type { DiskAccess } from "./disk-access.js";
import type { DiskOperation } from "./faults.js";
import type { FileNode } from "./nodes.js";
import { systemError } from "./system-error.js";

function join(buffers: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const buffer of buffers) length += buffer.length;
  const joined = new Uint8Array(length);
  let position = 0;
  for (const buffer of buffers) {
    joined.set(buffer, position);
    position += buffer.length;
  }
  return joined;
}

/** One open handle. */
export class DiskFile implements File {
  readonly #access: DiskAccess;
  readonly #node: FileNode;
  readonly #path: string;
  readonly #writable: boolean;
  readonly #durableWrites: boolean;
  #open = true;

  constructor(access: DiskAccess, node: FileNode, path: string, writable: boolean, durableWrites: boolean) {
    this.#access = access;
    this.#node = node;
    this.#path = path;
    this.#writable = writable;
    this.#durableWrites = durableWrites;
  }

  /** The bytes are captured at the call; what the caller does to the buffers later does not show. */
  write(buffers: readonly Uint8Array[], position: number): Promise<void> {
    const { failures } = this.#access.disk;
    const bytes = join(buffers);
    const execute = (): void => {
      if (bytes.length === 0) return;
      this.#reserve(position + bytes.length, "write");
      const reached = this.#access.disk.silentFaults.positionFor(this.#path, position, this.#node.cached.size);
      this.#node.change({ kind: "write", position: reached, bytes });
      if (this.#durableWrites) this.#flush(this.#node.version);
    };
    const strike = (): void => {
      this.#node.failWrite(position, bytes, failures);
      if (this.#durableWrites) this.#node.failFlush(this.#node.version, failures.chance(1, 2), failures);
    };
    return this.#run("write", execute, { position, durable: this.#durableWrites, writes: true, strike });
  }

  read(buffer: Uint8Array, position: number): Promise<number> {
    const execute = (): number => {
      const length = this.#node.cached.read(buffer, position);
      this.#access.disk.silentFaults.afterRead(this.#path, buffer, length);
      return length;
    };
    return this.#run("read", execute, { position });
  }

  /** Covers what was written before the call; a write that is still in flight may miss it. */
  sync(): Promise<void> {
    const { failures } = this.#access.disk;
    const covered = this.#node.version;
    const strike = (): void => this.#node.failFlush(covered, failures.chance(1, 2), failures);
    return this.#run("sync", () => this.#flush(covered), { durable: true, strike });
  }

  truncate(size: number): Promise<void> {
    const execute = (): void => {
      this.#reserve(size, "truncate");
      this.#node.change({ kind: "truncate", size });
    };
    return this.#run("truncate", execute, { position: size, writes: true });
  }

  size(): Promise<number> {
    return this.#run("size", () => this.#node.cached.size);
  }

  close(): Promise<void> {
    if (this.#open) {
      this.#open = false;
      this.#access.closeHandle();
    }
    return this.#access.run("close", this.#path, () => undefined);
  }

  #run<T>(
    operation: DiskOperation,
    execute: () => T,
    options: { position?: number; durable?: boolean; writes?: boolean; strike?: () => void } = {},
  ): Promise<T> {
    const { position = 0, durable = false, writes = false, strike } = options;
    if (!this.#open || (writes && !this.#writable)) return this.#refuse("EBADF", operation);
    if (!Number.isSafeInteger(position) || position < 0) return this.#refuse("EINVAL", operation);
    return this.#access.run(operation, this.#path, execute, durable, strike);
  }

  #refuse(code: string, operation: DiskOperation): Promise<never> {
    return this.#access.run(operation, this.#path, () => {
      throw systemError(code, operation, this.#path);
    });
  }

  /** Sizes change in the page cache first, so a full disk shows at once. */
  #reserve(end: number, syscall: string): void {
    const growth = end - this.#node.cached.size;
    if (growth > 0 && !this.#access.disk.reserve(growth)) throw systemError("ENOSPC", syscall, this.#path);
  }

  /** An ordered journal that commits a change has committed all earlier ones of the file, so flushing takes a prefix. */
  #flush(version: number): void {
    if (this.#access.disk.flushes) this.#node.flush(version);
  }
}
