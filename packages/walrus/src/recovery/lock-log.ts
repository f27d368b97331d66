import type { FileLock, FileSystem } from "@octopii/interfaces";
import { ioFailed, isWalrusError, WalrusError } from "../errors.js";

/** Claims a log's directory, provisionally. @param prepare - done first. @throws {WalrusError} `OCTOPII_WALRUS_LOCKED`, `_IO_FAILED` */
export async function lockLog(fileSystem: FileSystem, directory: string, prepare: () => Promise<void>): Promise<FileLock> {
  try {
    await prepare();
    return await fileSystem.lock(directory);
  } catch (error) {
    if (isWalrusError(error)) throw error;
    if (!(error instanceof Error && "code" in error && error.code === "ELOCKED")) throw ioFailed("take", directory, error);
    throw new WalrusError("OCTOPII_WALRUS_LOCKED", `The log cannot be opened: ${error.message.replace(/^ELOCKED: /, "")}.`, {
      cause: error,
    });
  }
}
