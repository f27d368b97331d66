import type { FileSystem, Logger, Random } from "@octopii/interfaces";
import { LaneError } from "../errors.js";
import { hex, localError, systemCode } from "../facts.js";
import { directoryOf, temporaryPrefix } from "../name.js";
import { FileTarget } from "./file-target.js";
import { storageFailed } from "./storage-failed.js";

/** From so many directories on, it is forgotten which of them have been cleaned; cleaning one again does no harm. */
const cleanedMax = 1_024;

/**
 * The files that are being received, and the directories that they are in. Unfinished files are called {@link temporaryPrefix} and something
 * random; those that are not ours are what a crash has left, and go when the first file is received into their directory.
 */
export class Inbox {
  readonly #fileSystem: FileSystem;
  readonly #random: Random;
  readonly #logger: Logger;
  /** Final paths that somebody is receiving to. */
  readonly #claimed = new Set<string>();
  readonly #unfinished = new Set<string>();
  readonly #cleaned = new Map<string, Promise<number>>();

  constructor(fileSystem: FileSystem, random: Random, logger: Logger) {
    this.#fileSystem = fileSystem;
    this.#random = random;
    this.#logger = logger;
  }

  /** Begins a file that is to be at `path`. @throws {LaneError} `EXISTS`, `STORAGE_FAILED` */
  async open(path: string, replace: boolean): Promise<FileTarget> {
    if (this.#claimed.has(path)) {
      throw localError("OCTOPII_LANE_EXISTS", `${path} is being received already.`, "another transfer to the same name is under way");
    }
    this.#claimed.add(path);
    const temporary = `${directoryOf(path)}/${temporaryPrefix}${hex(this.#random.bytes(12))}`;
    this.#unfinished.add(temporary);
    const over = (isGone: boolean): void => {
      this.#claimed.delete(path);
      this.#unfinished.delete(temporary);
      // What could not be removed is tried again with the next file.
      if (!isGone) this.#cleaned.delete(directoryOf(path));
    };
    try {
      await this.#cleanOnce(directoryOf(path));
      if (!replace) await this.expectFree(path);
      const file = await this.#fileSystem.open(temporary, { mode: "create" });
      const expectFree = replace ? null : (): Promise<void> => this.expectFree(path);
      return new FileTarget({ file, temporary, path, fileSystem: this.#fileSystem, logger: this.#logger, expectFree, over });
    } catch (error) {
      over(true);
      throw error instanceof LaneError ? error : storageFailed(path, "could not be created", error);
    }
  }

  /** @throws {LaneError} `EXISTS` if something is there. */
  async expectFree(path: string): Promise<void> {
    const file = await this.#fileSystem.open(path, { mode: "read" }).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return null;
      if (systemCode(error) === "EISDIR") throw occupied(path);
      throw storageFailed(path, "could not be looked for", error);
    });
    if (file === null) return;
    await file.close();
    throw occupied(path);
  }

  /** Removes what a crash has left of unfinished files. @returns how many those were. @throws the file system's error, if it cannot be read. */
  async clean(directory: string): Promise<number> {
    let removed = 0;
    for (const name of await this.#fileSystem.readDirectory(directory)) {
      const path = `${directory}/${name}`;
      if (!name.startsWith(temporaryPrefix) || this.#unfinished.has(path)) continue;
      try {
        await this.#fileSystem.remove(path);
        removed += 1;
      } catch (error) {
        if (systemCode(error) !== "ENOENT")
          this.#logger.warn({ path, error }, "An unfinished file of an earlier run could not be removed.");
      }
    }
    return removed;
  }

  async #cleanOnce(directory: string): Promise<void> {
    if (this.#cleaned.size >= cleanedMax) this.#cleaned.clear();
    let cleaning = this.#cleaned.get(directory);
    if (cleaning === undefined) {
      cleaning = this.clean(directory);
      this.#cleaned.set(directory, cleaning);
    }
    try {
      await cleaning;
    } catch (error) {
      this.#cleaned.delete(directory);
      // Whether a file can be received there, opening it will say.
      this.#logger.debug({ directory, error }, "A directory could not be searched for unfinished files.");
    }
  }
}

const occupied = (path: string): LaneError =>
  localError(
    "OCTOPII_LANE_EXISTS",
    `There is something at ${path} already; choose another name, or receive with 'replace'.`,
    "a file of that name is there already",
  );
