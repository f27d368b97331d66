import type { File, FileSystem, Logger } from "@octopii/interfaces";
import { LaneError } from "../errors.js";
import { systemCode } from "../facts.js";

/** What is sent. */
export interface Source {
  readonly size: number;
  /** The bytes at `offset`: all `length` of them, or it throws. They belong to the caller, to read them. */
  read(offset: number, length: number): Promise<Uint8Array>;
  /** @throws {LaneError} `SOURCE_CHANGED` if it is not as long as it was at first. */
  checkSize(): Promise<void>;
  /** Never rejects. */
  close(): Promise<void>;
}

/** Bytes in memory, sent in place. */
export function memorySource(bytes: Uint8Array): Source {
  return {
    size: bytes.length,
    read: async (offset, length) => bytes.subarray(offset, offset + length),
    checkSize: async () => undefined,
    close: async () => undefined,
  };
}

/** A file. @throws {LaneError} `SOURCE_MISSING`, `SOURCE_FAILED` */
export async function openFileSource(fileSystem: FileSystem, path: string, logger: Logger): Promise<Source> {
  const file = await fileSystem.open(path, { mode: "read" }).catch((error: unknown) => {
    const isMissing = systemCode(error) === "ENOENT";
    const what = isMissing ? "There is no file" : `Nothing can be read (${systemCode(error)})`;
    throw new LaneError(`OCTOPII_LANE_SOURCE_${isMissing ? "MISSING" : "FAILED"}`, `${what} at ${path}; check the path.`, { cause: error });
  });
  const source = new FileSource(file, path, logger);
  try {
    await source.measure();
  } catch (error) {
    await source.close();
    throw error;
  }
  return source;
}

class FileSource implements Source {
  size = 0;
  readonly #file: File;
  readonly #path: string;
  readonly #logger: Logger;
  /** A handle must not be closed while it is read. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(file: File, path: string, logger: Logger) {
    this.#file = file;
    this.#path = path;
    this.#logger = logger;
  }

  async measure(): Promise<void> {
    this.size = await this.#do(() => this.#file.size());
  }

  async read(offset: number, length: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(length);
    const count = await this.#do(() => this.#file.read(bytes, offset));
    if (count < length) throw this.#changed(offset + count);
    return bytes;
  }

  async checkSize(): Promise<void> {
    const size = await this.#do(() => this.#file.size());
    if (size !== this.size) throw this.#changed(size);
  }

  async close(): Promise<void> {
    try {
      await this.#last;
      await this.#file.close();
    } catch (error) {
      this.#logger.warn({ path: this.#path, error }, "A file that was sent could not be closed.");
    }
  }

  async #do<Value>(operation: () => Promise<Value>): Promise<Value> {
    const result = operation();
    this.#last = result.catch(() => undefined);
    try {
      return await result;
    } catch (error) {
      const message = `${this.#path} could not be read (${systemCode(error)}); check the disk.`;
      throw new LaneError("OCTOPII_LANE_SOURCE_FAILED", message, { cause: error });
    }
  }

  #changed(size: number): LaneError {
    const message = `${this.#path} had ${this.size} bytes when its transfer began, and has ${size} now; send it when nobody writes to it.`;
    return new LaneError("OCTOPII_LANE_SOURCE_CHANGED", message);
  }
}
