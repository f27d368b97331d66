import type { File, FileSystem, Logger } from "@octopii/interfaces";
import type { GroupId, Index, SnapshotMetadata } from "@octopii/raft";
import { ifMissing } from "../identity-file.js";
import { formatSnapshotName, parseSnapshotName, type SnapshotName } from "./snapshot-name.js";

/** What flushing a directory says where we may not. */
const harmless: ReadonlySet<unknown> = new Set(["EACCES", "EPERM", "EINVAL", "EROFS", "ENOTSUP"]);

/** A complete snapshot in the directory. */
export interface SnapshotEntry extends SnapshotName {
  readonly path: string;
  /** While it is above 0, the file stays, even if nobody is to find it any more. */
  readers: number;
  /** Nobody is to find it any more. */
  isDropped: boolean;
}

/** A file that is being written. */
export interface TemporaryFile {
  readonly file: File;
  readonly path: string;
}

/**
 * The files of all groups, and who reads which. It is the only one that changes the directory, so it reads it just once.
 *
 * A finished file never changes, and its name is never given to another: one that takes its place has a higher sequence. So a reader is safe
 * from whatever happens beside it, also on Windows, where a file that is open can neither be replaced nor, for sure, removed.
 */
export class SnapshotDirectory {
  readonly #fileSystem: FileSystem;
  readonly #path: string;
  readonly #logger: Logger;
  #loading: Promise<void> | null = null;
  #preparing: Promise<void> | null = null;
  /** A flush failed while the directory was prepared: whatever was made may be gone after a crash, and no later flush would tell. */
  #isLost = false;
  /** One at a time: a flush that fails takes down with it what others have renamed, and theirs would succeed afterwards. */
  #publishing: Promise<unknown> = Promise.resolve();
  #entries: SnapshotEntry[] = [];
  /** Files to be removed, and where that failed, to be tried again: what writers of an earlier process left, and what was dropped. */
  readonly #unwanted = new Map<string, GroupId>();
  #sequence = 0;

  constructor(fileSystem: FileSystem, path: string, logger: Logger) {
    this.#fileSystem = fileSystem;
    this.#path = path;
    this.#logger = logger;
  }

  /** The complete snapshots of a group, by index; of one index the newest last. */
  async entriesOf(group: GroupId): Promise<readonly SnapshotEntry[]> {
    await this.#load();
    return this.#entries
      .filter((entry) => entry.group === group)
      .sort((a, b) => (a.index === b.index ? a.sequence - b.sequence : a.index - b.index));
  }

  /** Claims the newest snapshot of `index` for a reader; null if there is none. Give it back by {@link release}. */
  async find(group: GroupId, index: Index): Promise<SnapshotEntry | null> {
    await this.#load();
    const found = this.#entries.filter((entry) => entry.group === group && entry.index === index);
    const newest = found.reduce<SnapshotEntry | null>((best, one) => (best === null || one.sequence > best.sequence ? one : best), null);
    return newest !== null && this.hold(newest) ? newest : null;
  }

  /** Claims a snapshot for a reader. @returns false if it was dropped meanwhile. */
  hold(entry: SnapshotEntry): boolean {
    if (entry.isDropped) return false;
    entry.readers += 1;
    return true;
  }

  async release(entry: SnapshotEntry): Promise<void> {
    entry.readers -= 1;
    if (entry.isDropped && entry.readers === 0) await this.#erase(entry.path, entry.group);
  }

  /** From now on nobody finds the snapshot; its file goes when its last reader has. */
  async drop(entry: SnapshotEntry): Promise<void> {
    if (entry.isDropped) return;
    entry.isDropped = true;
    this.#entries = this.#entries.filter((one) => one !== entry);
    if (entry.readers === 0) await this.#erase(entry.path, entry.group);
  }

  /** Removes what is left of a group's files that nobody wants. Failures are logged: they cost space, nothing else. */
  async sweep(group: GroupId): Promise<void> {
    await this.#load();
    for (const [path, owner] of [...this.#unwanted]) if (owner === group) await this.#erase(path, group);
  }

  /** Makes the directory, durably, if that was not done yet. A flush that failed is final: see RULE 4 of the design. */
  prepare(): Promise<void> {
    this.#preparing ??= this.#prepare(this.#path).catch((error: unknown) => {
      if (!this.#isLost) this.#preparing = null;
      throw error;
    });
    return this.#preparing;
  }

  /** Makes a file for a snapshot that is to be written. */
  async create(group: GroupId, metadata: SnapshotMetadata): Promise<TemporaryFile> {
    await this.#load();
    await this.prepare();
    const path = this.#pathOf(this.#nextName(group, metadata, true));
    return { path, file: await this.#fileSystem.open(path, { mode: "create" }) };
  }

  /** Makes a file, all of it on stable storage, a snapshot; resolves when that is so after a crash as well. Earlier ones of its index go. */
  publish(temporary: string, group: GroupId, metadata: SnapshotMetadata): Promise<void> {
    const published = this.#publishing.then(() => this.#publish(temporary, group, metadata));
    this.#publishing = published.catch(() => undefined);
    return published;
  }

  async #publish(temporary: string, group: GroupId, metadata: SnapshotMetadata): Promise<void> {
    const name = this.#nextName(group, metadata, false);
    const path = this.#pathOf(name);
    try {
      await this.#fileSystem.rename(temporary, path);
      await this.#fileSystem.syncDirectory(this.#path);
    } catch (error) {
      await this.#erase(path, group);
      throw error;
    }
    const replaced = this.#entries.filter((entry) => entry.group === group && entry.index === name.index);
    this.#entries.push({ ...name, path, readers: 0, isDropped: false });
    for (const entry of replaced) await this.drop(entry);
  }

  /** Removes a file that was never published. */
  discard(path: string, group: GroupId): Promise<void> {
    return this.#erase(path, group);
  }

  #load(): Promise<void> {
    this.#loading ??= this.#read().catch((error: unknown) => {
      this.#loading = null;
      throw error;
    });
    return this.#loading;
  }

  async #read(): Promise<void> {
    const texts = await this.#fileSystem.readDirectory(this.#path).catch(ifMissing<string[]>([]));
    for (const text of texts) {
      const name = parseSnapshotName(text);
      if (name === null) continue;
      const path = this.#pathOf(name);
      this.#sequence = Math.max(this.#sequence, name.sequence);
      if (name.isTemporary) this.#unwanted.set(path, name.group);
      else this.#entries.push({ ...name, path, readers: 0, isDropped: false });
    }
  }

  /**
   * Makes a directory, and its missing parents, so that none of them goes away in a crash. Those that are there are flushed as well, further up
   * as far as we may: a process that died may have made them, and not got to that.
   */
  async #prepare(path: string): Promise<void> {
    const parent = parentOf(path);
    if (parent === null) return;
    const isMissing = await this.#fileSystem.readDirectory(path).then(() => false, isMissingDirectory);
    await this.#prepare(parent);
    if (isMissing) await this.#fileSystem.makeDirectory(path);
    await this.#fileSystem.syncDirectory(parent).catch((error: unknown) => {
      if (!isMissing && path !== this.#path && harmless.has(codeOf(error))) return;
      this.#isLost = true;
      throw error;
    });
  }

  #nextName(group: GroupId, { index, term }: SnapshotMetadata, isTemporary: boolean): SnapshotName {
    this.#sequence += 1;
    return { group, index, term, sequence: this.#sequence, isTemporary };
  }

  #pathOf(name: SnapshotName): string {
    return `${this.#path}/${formatSnapshotName(name)}`;
  }

  /** Need not be durable: a file that comes back in a crash is as good as it was. */
  async #erase(path: string, group: GroupId): Promise<void> {
    try {
      await this.#fileSystem.remove(path).catch(ifMissing(undefined));
      this.#unwanted.delete(path);
    } catch (error) {
      this.#unwanted.set(path, group);
      this.#logger.warn({ path, error }, "A snapshot's file that is not needed any more could not be removed; that is tried again later.");
    }
  }
}

/** Null for the root. A relative path ends at the process's own directory. */
function parentOf(path: string): string | null {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "" || trimmed === ".") return null;
  const slash = trimmed.lastIndexOf("/");
  if (slash === -1) return ".";
  return slash === 0 ? "/" : trimmed.slice(0, slash);
}

const codeOf = (error: unknown): unknown => (error as { code?: unknown }).code;

/** One that we may not list is there. */
const isMissingDirectory = (error: unknown): boolean => codeOf(error) === "ENOENT";
