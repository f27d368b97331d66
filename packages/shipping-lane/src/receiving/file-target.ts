import type { File, FileSystem, Logger } from "@octopii/interfaces";
import { LaneError } from "../errors.js";
import { systemCode } from "../facts.js";
import { directoryOf } from "../name.js";
import { storageFailed } from "./storage-failed.js";
import type { Target } from "./target.js";

/** So much is written between two flushes: the last one, for which the sender waits, is then short. */
const unsyncedBytesMax = 8 * 1024 * 1024;

/** What a {@link FileTarget} works with. */
export interface FileTargetParts {
  readonly file: File;
  /** Where the file is until it is published. */
  readonly temporary: string;
  readonly path: string;
  readonly fileSystem: FileSystem;
  readonly logger: Logger;
  /** Throws if something is at `path`; null if it may be replaced. */
  readonly expectFree: (() => Promise<void>) | null;
  /** Called at the end, with whether the temporary file is gone. */
  readonly over: (isGone: boolean) => void;
}

/** A file that is written under a temporary name, and gets its own when it is complete and on stable storage. */
export class FileTarget implements Target {
  readonly #parts: FileTargetParts;
  #position = 0;
  #unsynced = 0;
  #isOver = false;
  /** A handle must not be closed while it is written. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(parts: FileTargetParts) {
    this.#parts = parts;
  }

  write(data: Uint8Array): Promise<void> {
    return this.#do("could not be written", async () => {
      const { file } = this.#parts;
      await file.write([data], this.#position);
      this.#position += data.length;
      this.#unsynced += data.length;
      if (this.#unsynced < unsyncedBytesMax) return;
      await file.sync();
      this.#unsynced = 0;
    });
  }

  async publish(): Promise<void> {
    const { file, fileSystem, temporary, path, expectFree, over } = this.#parts;
    await this.#do("could not be flushed", async () => {
      await file.sync();
      await file.close();
    });
    // Nothing but a program that does not know of us can have come there meanwhile.
    await expectFree?.();
    await this.#do("could not be given its name", () => fileSystem.rename(temporary, path));
    this.#isOver = true;
    over(true);
    try {
      await fileSystem.syncDirectory(directoryOf(path));
    } catch (error) {
      // It is whole and has its name; whether the name survives a crash is not known.
      throw storageFailed(path, "has its name, which could not be flushed", error, "unknown");
    }
  }

  async discard(): Promise<void> {
    if (this.#isOver) return;
    this.#isOver = true;
    const { file, fileSystem, temporary, logger, over } = this.#parts;
    await this.#last;
    try {
      await file.close();
    } catch (error) {
      logger.warn({ path: temporary, error }, "An unfinished file could not be closed.");
    }
    try {
      await fileSystem.remove(temporary);
      over(true);
    } catch (error) {
      const isGone = systemCode(error) === "ENOENT";
      if (!isGone) logger.warn({ path: temporary, error }, "An unfinished file could not be removed; that is tried again later.");
      over(isGone);
    }
  }

  async #do(what: string, operation: () => Promise<void>): Promise<void> {
    const work = operation();
    this.#last = work.catch(() => undefined);
    try {
      await work;
    } catch (error) {
      throw error instanceof LaneError ? error : storageFailed(this.#parts.path, what, error);
    }
  }
}
