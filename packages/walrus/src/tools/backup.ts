import type { File, FileSystem } from "@octopii/interfaces";
import { TEMPORARY_SUFFIX } from "../format/format.js";
import { readExactly } from "../recovery/read-exactly.js";
import { writeWholeFile } from "../write/segment-writer.js";
import { decodeAccount, encodeAccount, type RepairAccount } from "./repair-account.js";

const COPY_BYTES = 1024 * 1024;
const ACCOUNT_NAME = "repair.json";
const DIRECTORY_NAME = /^repair-backup-(\d+)$/;

/** Copies of files as they were before a repair, in a directory beside them, with an account of what it does. */
export class Backup {
  readonly #fileSystem: FileSystem;
  readonly #log: string;
  readonly #kept = new Set<string>();
  #directory: string | null = null;
  /** That of a repair that was interrupted. Its copies stay as they are: the files may have gone on since. */
  #interrupted: string | null = null;

  constructor(fileSystem: FileSystem, log: string) {
    this.#fileSystem = fileSystem;
    this.#log = log;
  }

  /** Where they are; null while there are none. */
  get directory(): string | null {
    return this.#directory ?? this.#interrupted;
  }

  /** Takes over what the newest backup tells of a repair that was interrupted. @returns its account; null if there is none. */
  async resume(): Promise<RepairAccount | null> {
    const numbers = (await this.#numbers()).sort((a, b) => b - a);
    const [newest] = numbers;
    if (newest === undefined) return null;
    const directory = `${this.#log}/repair-backup-${newest}`;
    if (!(await this.#fileSystem.readDirectory(directory)).includes(ACCOUNT_NAME)) return null;
    const noted = decodeAccount(await this.#read(`${directory}/${ACCOUNT_NAME}`));
    if (noted === null || noted.isFinished) return null;
    this.#interrupted = directory;
    return noted.account;
  }

  /** Notes what is about to be done: it is on stable storage when this resolves. To be called before each change, and at the end. */
  async note(account: RepairAccount, isFinished: boolean): Promise<void> {
    const { directory } = this;
    if (directory === null) return;
    const path = `${directory}/${ACCOUNT_NAME}`;
    await this.#removeHalf(path + TEMPORARY_SUFFIX);
    await writeWholeFile(this.#fileSystem, directory, path, [encodeAccount({ account, isFinished })]);
  }

  /** Copies files that are not copied yet; they are on stable storage when this resolves. */
  async keep(names: readonly string[]): Promise<void> {
    this.#directory ??= await this.#make();
    for (const name of names) {
      if (this.#kept.has(name)) continue;
      await this.#copy(`${this.#log}/${name}`, `${this.#directory}/${name}`);
      this.#kept.add(name);
    }
    await this.#fileSystem.syncDirectory(this.#directory);
  }

  /** What an interrupted repair may have left half made. */
  async #removeHalf(path: string): Promise<void> {
    try {
      await this.#fileSystem.remove(path);
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== "ENOENT") throw error;
    }
  }

  async #numbers(): Promise<number[]> {
    const names = await this.#fileSystem.readDirectory(this.#log);
    return names.flatMap((name) => DIRECTORY_NAME.exec(name)?.[1] ?? []).map(Number);
  }

  async #read(path: string): Promise<Uint8Array> {
    const file = await this.#fileSystem.open(path, { mode: "read" });
    try {
      const bytes = new Uint8Array(await file.size());
      await readExactly(file, bytes, 0, path);
      return bytes;
    } finally {
      await file.close();
    }
  }

  async #make(): Promise<string> {
    const directory = `${this.#log}/repair-backup-${Math.max(0, ...(await this.#numbers())) + 1}`;
    await this.#fileSystem.makeDirectory(directory);
    await this.#fileSystem.syncDirectory(this.#log);
    return directory;
  }

  async #copy(from: string, to: string): Promise<void> {
    const source = await this.#fileSystem.open(from, { mode: "read" });
    try {
      const target = await this.#fileSystem.open(to, { mode: "create" });
      try {
        await copyBytes(source, target, from);
        await target.sync();
      } finally {
        await target.close();
      }
    } finally {
      await source.close();
    }
  }
}

async function copyBytes(source: File, target: File, path: string): Promise<void> {
  const size = await source.size();
  const buffer = new Uint8Array(Math.min(size, COPY_BYTES));
  for (let at = 0; at < size; at += buffer.length) {
    const part = buffer.subarray(0, Math.min(buffer.length, size - at));
    await readExactly(source, part, at, path);
    await target.write([part], at);
  }
}
