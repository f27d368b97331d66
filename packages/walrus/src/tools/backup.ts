import type { File, FileSystem } from "@octopii/interfaces";
import { readExactly } from "../recovery/read-exactly.js";

const COPY_BYTES = 1024 * 1024;

/** Copies of files as they were before a repair, in a directory beside them. */
export class Backup {
  readonly #fileSystem: FileSystem;
  readonly #log: string;
  readonly #kept = new Set<string>();
  #directory: string | null = null;

  constructor(fileSystem: FileSystem, log: string) {
    this.#fileSystem = fileSystem;
    this.#log = log;
  }

  /** Where they are; null while there are none. */
  get directory(): string | null {
    return this.#directory;
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

  async #make(): Promise<string> {
    const names = new Set(await this.#fileSystem.readDirectory(this.#log));
    let number = 1;
    while (names.has(`repair-backup-${number}`)) number++;
    const directory = `${this.#log}/repair-backup-${number}`;
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
