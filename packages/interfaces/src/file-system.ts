/** How a file is opened. */
export interface OpenOptions {
  /**
   * `read`: must exist, reading only. `readWrite`: must exist. `create`: must not exist (`EEXIST` otherwise), reading and writing.
   */
  readonly mode: "read" | "readWrite" | "create";
  /**
   * Every `write` returns only when its bytes are on stable storage (`O_DSYNC`, or write and sync where that is missing).
   * Default false: bytes are safe after the next `sync`.
   */
  readonly durableWrites?: boolean;
}

/** An open file. Operations on one file may overlap; those that touch the same bytes must not. */
export interface File {
  /**
   * Writes `buffers` back to back at `position`. Resolves when all bytes are written; a short count is retried or rejected,
   * never passed over. The caller leaves the buffers alone until it settles.
   */
  write(buffers: readonly Uint8Array[], position: number): Promise<void>;
  /** Fills `buffer` from `position`; resolves with the number of bytes read, below `buffer.length` only at the end of the file. */
  read(buffer: Uint8Array, position: number): Promise<number>;
  /** Resolves when everything written before the call, and the size, is on stable storage. A rejection is final: see RULE 4 of the design. */
  sync(): Promise<void>;
  /** Cuts or extends (with zeros) to `size` bytes. Durable after the next `sync`. */
  truncate(size: number): Promise<void>;
  /** The size in bytes. */
  size(): Promise<number>;
  /** Releases the handle. Does not sync. Repeating the call does nothing. */
  close(): Promise<void>;
}

/**
 * An exclusive claim to a directory. It excludes everybody else from the start, and is provisional until it is confirmed: whoever finds
 * that the directory is not what it should be releases it, and leaves everything as it was, what dead owners left included.
 */
export interface FileLock {
  /**
   * Makes the claim final: from now on the lock file is this owner's, and what dead owners left is gone. To be called before the first
   * change in the directory. Repeating the call does nothing. Rejects with `EBADF` once the claim was given up.
   */
  confirm(): Promise<void>;
  /**
   * Gives the claim up. A provisional one leaves the names and bytes that {@link FileSystem.lock} found; a confirmed one leaves no lock
   * file. Repeating the call does nothing.
   */
  release(): Promise<void>;
}

/**
 * The files under a package's data directory. Errors carry the operating system's `code`: `ENOENT`, `EEXIST`, `ENOSPC`, `EIO`, …
 * Paths are absolute or relative to the process; separators are `/`.
 */
export interface FileSystem {
  open(path: string, options: OpenOptions): Promise<File>;
  /** The names in a directory, sorted by code unit. */
  readDirectory(path: string): Promise<string[]>;
  /** Replaces `to` atomically. Durable after `syncDirectory` on the parent. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. Durable after `syncDirectory` on the parent. */
  remove(path: string): Promise<void>;
  /** Makes a directory and its missing parents; fine if it exists. Durable after `syncDirectory` on the parents. */
  makeDirectory(path: string): Promise<void>;
  /** Resolves when the entries of the directory are on stable storage. */
  syncDirectory(path: string): Promise<void>;
  /**
   * Claims the directory at `path` through a lock file in it. Rejects with code `ELOCKED` and the owner's pid in the message
   * while a live process, this one included, holds it. A lock left by a dead process, or from before a reboot, does not stand in the
   * way; its file stays as it is until the new claim is confirmed. A rejected call leaves the directory as it was.
   */
  lock(path: string): Promise<FileLock>;
}
