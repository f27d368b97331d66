import type { File, FileLock, FileSystem, OpenOptions } from "@octopii/interfaces";
import type { Lifetime } from "../world/lifetime.js";
import type { DiskAccess } from "./disk-access.js";
import { DiskFile } from "./disk-file.js";
import { DiskLock } from "./disk-lock.js";
import type { DiskOperation } from "./faults.js";
import { DirectoryNode, FileNode } from "./nodes.js";
import type { SimulatedDisk } from "./simulated-disk.js";
import { systemError } from "./system-error.js";

/** The file system of one life of a process, on its machine's disk. */
export class DiskFileSystem implements FileSystem, DiskAccess {
  readonly disk: SimulatedDisk;
  readonly #lifetime: Lifetime;

  constructor(disk: SimulatedDisk, lifetime: Lifetime) {
    this.disk = disk;
    this.#lifetime = lifetime;
  }

  open(path: string, options: OpenOptions): Promise<File> {
    const { mode, durableWrites = false } = options;
    return this.run("open", path, () => {
      const node = mode === "create" ? this.#create(path) : this.#existing(path);
      if (this.disk.openFiles >= this.disk.config.maxOpenFiles) throw systemError("EMFILE", "open", path);
      this.disk.countHandle(this.#lifetime, 1);
      return new DiskFile(this, node, path, mode !== "read", durableWrites);
    });
  }

  readDirectory(path: string): Promise<string[]> {
    return this.run("readDirectory", path, () => [...this.disk.namespace.directory(path, "scandir").cached.keys()].sort());
  }

  rename(from: string, to: string): Promise<void> {
    return this.run("rename", from, () => this.disk.namespace.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.run("remove", path, () => this.disk.namespace.remove(path));
  }

  makeDirectory(path: string): Promise<void> {
    return this.run("makeDirectory", path, () => this.disk.namespace.makeDirectories(path));
  }

  /** Makes durable what was done in the directory before the call. */
  syncDirectory(path: string): Promise<void> {
    const { namespace } = this.disk;
    const directory = this.#directoryNow(path);
    const covered = directory === null ? null : namespace.journal.pendingIn(directory);
    return this.run(
      "syncDirectory",
      path,
      () => {
        namespace.directory(path, "fsync");
        if (covered !== null && this.disk.flushes) namespace.journal.flush(covered);
      },
      true,
      () => {
        if (covered !== null) namespace.journal.failFlush(covered);
      },
    );
  }

  lock(path: string): Promise<FileLock> {
    return this.run("lock", path, () => {
      const directory = this.disk.namespace.directory(path, "lock");
      const owner = this.disk.locks.get(directory);
      if (owner !== undefined) throw systemError("ELOCKED", "lock", path, `process ${owner.pid} (${owner.name}) holds it`);
      return new DiskLock(this, directory, path, this.#lifetime);
    });
  }

  closeHandle(): void {
    if (this.#lifetime.alive) this.disk.countHandle(this.#lifetime, -1);
  }

  run<T>(operation: DiskOperation, path: string, execute: () => T, durable = false, strike?: () => void): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (!this.#lifetime.alive) return;
      this.disk.submit(operation, path, durable, this.#lifetime, () => {
        const code = this.disk.faults.strike(operation, path);
        try {
          if (code !== null) {
            strike?.();
            throw systemError(code, operation, path, "a simulated fault");
          }
          const result = execute();
          return () => resolve(result);
        } catch (error) {
          return () => reject(error);
        }
      });
    });
  }

  #create(path: string): FileNode {
    const { directory, name } = this.disk.namespace.parent(path, "open");
    if (directory.cached.has(name)) throw systemError("EEXIST", "open", path);
    return this.disk.namespace.createFile(directory, name);
  }

  #existing(path: string): FileNode {
    const entry = this.disk.namespace.find(path, "open");
    if (entry instanceof FileNode) return entry;
    throw systemError("EISDIR", "open", path);
  }

  #directoryNow(path: string): DirectoryNode | null {
    try {
      const entry = this.disk.namespace.find(path, "fsync");
      return entry instanceof DirectoryNode ? entry : null;
    } catch {
      return null;
    }
  }
}
