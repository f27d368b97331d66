import type { SeededRandom } from "../random/seeded-random.js";
import { DirectoryJournal } from "./directory-journal.js";
import { DirectoryNode, type Entry, FileNode } from "./nodes.js";
import type { SurvivalMode } from "./survival.js";
import { systemError } from "./system-error.js";

/** The components of `path`, with `.` and `..` resolved. A relative path starts at the root. */
export function splitPath(path: string): string[] {
  const parts: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part === "..") parts.pop();
    else parts.push(part);
  }
  return parts;
}

/** Which image of the tree is walked. */
type View = "cached" | "durable";

/** The tree of directories and files, as processes see it and as the disk has it. */
export class Namespace {
  readonly journal: DirectoryJournal = new DirectoryJournal();
  #root = new DirectoryNode(1);
  #nextId = 2;

  /** @throws a system error `ENOENT` or `ENOTDIR`. */
  find(path: string, syscall: string): Entry {
    const entry = this.walk(splitPath(path), "cached");
    if (entry !== null) return entry;
    this.#explainMissing(path, syscall);
    throw systemError("ENOENT", syscall, path);
  }

  /** The directory at `path`. @throws a system error `ENOENT` or `ENOTDIR`. */
  directory(path: string, syscall: string): DirectoryNode {
    const entry = this.find(path, syscall);
    if (entry instanceof DirectoryNode) return entry;
    throw systemError("ENOTDIR", syscall, path);
  }

  /** The directory that holds `path`, and the last name in it. */
  parent(path: string, syscall: string): { readonly directory: DirectoryNode; readonly name: string } {
    const parts = splitPath(path);
    const name = parts.pop();
    if (name === undefined) throw systemError("EISDIR", syscall, path);
    const entry = this.walk(parts, "cached");
    if (entry instanceof DirectoryNode) return { directory: entry, name };
    throw systemError(entry === null ? "ENOENT" : "ENOTDIR", syscall, path);
  }

  /** What lies at `parts`, or null. */
  walk(parts: readonly string[], view: View): Entry | null {
    let entry: Entry = this.#root;
    for (const part of parts) {
      const next: Entry | undefined = entry instanceof DirectoryNode ? entry[view].get(part) : undefined;
      if (next === undefined) return null;
      entry = next;
    }
    return entry;
  }

  createFile(directory: DirectoryNode, name: string): FileNode {
    const file = new FileNode(this.#nextId++);
    this.journal.perform([{ directory, name, entry: file }]);
    return file;
  }

  makeDirectories(path: string): void {
    let directory = this.#root;
    for (const name of splitPath(path)) {
      const entry = directory.cached.get(name);
      if (entry instanceof FileNode) throw systemError("ENOTDIR", "mkdir", path);
      if (entry === undefined) {
        const made = new DirectoryNode(this.#nextId++);
        this.journal.perform([{ directory, name, entry: made }]);
        directory = made;
      } else directory = entry;
    }
  }

  remove(path: string): void {
    const { directory, name } = this.parent(path, "unlink");
    const entry = directory.cached.get(name);
    if (entry === undefined) throw systemError("ENOENT", "unlink", path);
    if (entry instanceof DirectoryNode) throw systemError("EISDIR", "unlink", path);
    this.journal.perform([{ directory, name, entry: null }]);
  }

  rename(from: string, to: string): void {
    const source = this.parent(from, "rename");
    const entry = source.directory.cached.get(source.name);
    if (entry === undefined) throw systemError("ENOENT", "rename", from);
    const target = this.parent(to, "rename");
    const replaced = target.directory.cached.get(target.name);
    if (replaced === entry) return;
    if (entry instanceof DirectoryNode) this.#checkDirectoryRename(from, to, replaced);
    else if (replaced instanceof DirectoryNode) throw systemError("EISDIR", "rename", to);
    this.journal.perform([
      { directory: source.directory, name: source.name, entry: null },
      { directory: target.directory, name: target.name, entry },
    ]);
  }

  /** The power fails: unsynced entries fare as `directoryMode` says, unsynced bytes as `fileMode`. */
  losePower(directoryMode: SurvivalMode, fileMode: SurvivalMode, random: SeededRandom): void {
    this.journal.losePower(directoryMode, random.fork("entries"));
    this.#reset(this.#root, fileMode, random, new Set());
  }

  /** Every file of a view with its path, in order of path. */
  files(view: View): Map<string, FileNode> {
    const found = new Map<string, FileNode>();
    const visit = (directory: DirectoryNode, prefix: string): void => {
      for (const name of [...directory[view].keys()].sort()) {
        const entry = directory[view].get(name);
        if (entry instanceof FileNode) found.set(`${prefix}/${name}`, entry);
        else if (entry !== undefined) visit(entry, `${prefix}/${name}`);
      }
    };
    visit(this.#root, "");
    return found;
  }

  #reset(directory: DirectoryNode, mode: SurvivalMode, random: SeededRandom, seen: Set<Entry>): void {
    directory.cached = new Map(directory.durable);
    for (const name of [...directory.durable.keys()].sort()) {
      const entry = directory.durable.get(name);
      if (entry === undefined || seen.has(entry)) continue;
      seen.add(entry);
      if (entry instanceof DirectoryNode) this.#reset(entry, mode, random, seen);
      else entry.losePower(mode, random.fork(`file/${entry.id}`));
    }
  }

  #checkDirectoryRename(from: string, to: string, replaced: Entry | undefined): void {
    if (replaced instanceof FileNode) throw systemError("ENOTDIR", "rename", to);
    if (replaced !== undefined && replaced.cached.size > 0) throw systemError("ENOTEMPTY", "rename", to);
    const source = splitPath(from);
    const target = splitPath(to);
    if (source.every((part, index) => target[index] === part)) throw systemError("EINVAL", "rename", from);
  }

  /** A path through a file fails in another way than one that leads nowhere. */
  #explainMissing(path: string, syscall: string): void {
    const parts = splitPath(path);
    for (let length = 1; length < parts.length; length += 1) {
      if (this.walk(parts.slice(0, length), "cached") instanceof FileNode) throw systemError("ENOTDIR", syscall, path);
    }
  }
}
