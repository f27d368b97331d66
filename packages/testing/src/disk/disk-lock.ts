import type { FileLock } from "@octopii/interfaces";
import type { Lifetime } from "../world/lifetime.js";
import type { DiskAccess } from "./disk-access.js";
import type { DirectoryNode, FileNode } from "./nodes.js";
import { systemError } from "./system-error.js";

/** The name of the file that a lock leaves in its directory. */
const LOCK_FILE_NAME = "lock";

/**
 * A claim to a directory on a simulated disk. Who holds it is known without files; the lock file is there for those who look at the
 * directory, and follows the port: a dead owner's stays as it is until the claim is confirmed.
 */
export class DiskLock implements FileLock {
  readonly #access: DiskAccess;
  readonly #directory: DirectoryNode;
  readonly #path: string;
  readonly #owner: Lifetime;
  /** Null: a dead owner's file is in its place. */
  #file: FileNode | null = null;
  #confirmed: Promise<void> | null = null;
  #released: Promise<void> | null = null;

  constructor(access: DiskAccess, directory: DirectoryNode, path: string, owner: Lifetime) {
    this.#access = access;
    this.#directory = directory;
    this.#path = path;
    this.#owner = owner;
    access.disk.locks.set(directory, owner);
    if (!directory.cached.has(LOCK_FILE_NAME)) this.#writeFile();
  }

  confirm(): Promise<void> {
    if (this.#released !== null) return Promise.reject(systemError("EBADF", "lock", this.#path, "the lock was released"));
    this.#confirmed ??= this.#access.run("lock", this.#path, () => {
      if (this.#file === null) this.#writeFile();
    });
    return this.#confirmed;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    await this.#confirmed?.catch(() => undefined);
    await this.#access.run("lock", this.#path, () => {
      const { disk } = this.#access;
      disk.locks.delete(this.#directory);
      if (this.#file === null || this.#directory.cached.get(LOCK_FILE_NAME) !== this.#file) return;
      disk.namespace.journal.perform([{ directory: this.#directory, name: LOCK_FILE_NAME, entry: null }]);
    });
  }

  #writeFile(): void {
    this.#file = this.#access.disk.namespace.createFile(this.#directory, LOCK_FILE_NAME);
    const bytes = new TextEncoder().encode(`process ${this.#owner.pid} (${this.#owner.name})\n`);
    this.#file.change({ kind: "write", position: 0, bytes });
  }
}
