import type { FileSystem } from "@octopii/interfaces";
import { MARK_NAME, segmentNumber } from "../format/format.js";

/** Directories that were there before us are flushed as far as we may; these say that we may not. */
const HARMLESS: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EINVAL", "EROFS", "ENOTSUP"]);

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}

/** The directory that `path` is in; null for the root. A relative path ends at the process's own directory. */
function parentOf(path: string): string | null {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "" || trimmed === ".") return null;
  const slash = trimmed.lastIndexOf("/");
  if (slash === -1) return ".";
  return slash === 0 ? "/" : trimmed.slice(0, slash);
}

/** Whether there is a directory at `path`; one that we may not list is there. */
async function exists(fileSystem: FileSystem, path: string): Promise<boolean> {
  try {
    await fileSystem.readDirectory(path);
    return true;
  } catch (error) {
    return codeOf(error) !== "ENOENT";
  }
}

/** Whether anything of a log is in the directory, were it only the mark of its close. False if there is no such directory. */
export async function holdsLog(fileSystem: FileSystem, directory: string): Promise<boolean> {
  try {
    return (await fileSystem.readDirectory(directory)).some((name) => segmentNumber(name) !== null || name === MARK_NAME);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/**
 * Makes the directory, with its parents, and puts their names on stable storage: a log whose directory a power cut can take away is not
 * durable. Also done where the directory is there without a log, since whoever made it may have died before it was flushed.
 */
export async function prepareDirectory(fileSystem: FileSystem, directory: string): Promise<void> {
  if (await holdsLog(fileSystem, directory)) return;
  const parents: string[] = [];
  /** Those that get a new entry: flushing them must succeed. */
  const changed = new Set<string>();
  let isMissing = !(await exists(fileSystem, directory));
  for (let parent = parentOf(directory); parent !== null; parent = parentOf(parent)) {
    parents.push(parent);
    if (isMissing) changed.add(parent);
    isMissing = isMissing && !(await exists(fileSystem, parent));
  }
  await fileSystem.makeDirectory(directory);
  for (const parent of parents) {
    try {
      await fileSystem.syncDirectory(parent);
    } catch (error) {
      const code = codeOf(error);
      if (code !== "ENOENT" && (changed.has(parent) || !HARMLESS.has(code))) throw error;
    }
  }
}
