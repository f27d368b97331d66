import { mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Writes a file as a whole: whoever reads it sees the old text or the new, whatever happens in between. Makes its directory. */
export function writeWhole(path: string, text: string, mode: number): void {
  makePrivateDirectory(dirname(path));
  const temporary = `${path}.new`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

/**
 * Makes a directory that only we may enter, with its missing parents. Node's own recursive call never returns where a file system says that
 * something is missing although the parent is there, as `/proc` does.
 */
export function makePrivateDirectory(path: string): void {
  if (makeOne(path)) return;
  const parent = dirname(path);
  if (parent !== path) makePrivateDirectory(parent);
  if (!makeOne(path)) throw Object.assign(new Error(`ENOENT: ${path} cannot be made`), { code: "ENOENT", path });
}

/** @returns false if the parent is missing. */
function makeOne(path: string): boolean {
  try {
    mkdirSync(path, { mode: 0o700 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return false;
    if (code === "EEXIST" && statSync(path).isDirectory()) return true;
    throw error;
  }
}

/** The text of a file, or null if there is none. */
export function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
