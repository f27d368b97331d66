import { readdir, rename, unlink } from "node:fs";
import type { FileSystem } from "@octopii/interfaces";
import { openBlockingFile } from "./file-system/blocking-file.js";
import { lockDirectory } from "./file-system/directory-lock.js";
import { makeDirectory } from "./file-system/make-directory.js";
import { openNodeFile } from "./file-system/node-file.js";
import { settleValue, settleVoid } from "./file-system/settle.js";
import { syncDirectory } from "./file-system/sync-directory.js";

/**
 * Node's file system.
 *
 * `durableWrites` is `O_DSYNC` on Linux: one trip to the thread pool writes and flushes. Elsewhere each write is followed by a sync,
 * which on macOS asks the drive itself (`F_FULLFSYNC`). `lock` tells the dead from the living by pid, boot and start time; processes
 * that share a directory must therefore share a process-id namespace. Of processes that were killed before they confirmed a lock, the
 * files of the last 16 in a row stay until one is confirmed.
 */
export const nodeFileSystem: FileSystem = {
  open: openNodeFile,
  readDirectory: async (path) => (await settleValue<string[]>((done) => readdir(path, done))).sort(),
  rename: (from, to) => settleVoid((done) => rename(from, to, done)),
  remove: (path) => settleVoid((done) => unlink(path, done)),
  makeDirectory,
  syncDirectory,
  lock: lockDirectory,
};

/** Node's file system, whose files block the thread: see {@link openBlockingFile}. What is done with directories does not. */
export const blockingFileSystem: FileSystem = { ...nodeFileSystem, open: openBlockingFile };
