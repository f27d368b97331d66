import { execFileSync } from "node:child_process";
import { lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";

/** A file's path in its repository, with forward slashes, and what stands in it. */
export interface TrackedFile {
  readonly path: string;
  readonly bytes: Uint8Array;
}

/** Every file that git tracks, as it is in the working tree, in git's order. A symbolic link's bytes are its target. */
export function trackedFiles(root: string): TrackedFile[] {
  const listing = execFileSync("git", ["ls-files", "-z"], { cwd: root, encoding: "utf8", maxBuffer: 256 * 1024 * 1024 });
  return listing
    .split("\0")
    .filter((path) => path !== "")
    .flatMap((path) => {
      const bytes = read(join(root, path));
      return bytes === null ? [] : [{ path, bytes }];
    });
}

/** Null for what is deleted in the working tree, and for the directory of a submodule. */
function read(path: string): Uint8Array | null {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats?.isSymbolicLink()) return Buffer.from(readlinkSync(path));
  return stats?.isFile() ? readFileSync(path) : null;
}
