import type { FileSystem, Logger } from "@octopii/interfaces";
import { nodeFileSystem } from "@octopii/system";
import { asWalrusError, WalrusError } from "../errors.js";
import { segmentName } from "../format/format.js";
import { type Hasher, openHasher } from "../format/hasher.js";
import { type DirectoryContents, sortNames } from "../recovery/directory-contents.js";

/** What the tools need from outside. Each defaults to the system's; the logger to silence. */
export interface ToolPorts {
  readonly fileSystem?: FileSystem | undefined;
  readonly logger?: Logger | undefined;
}

/** How a tool reports that it gets on. */
export interface Progress {
  readonly bytes: number;
  readonly totalBytes: number;
}

/** A directory with a log in it, as the tools see it. */
export interface LogDirectory {
  readonly fileSystem: FileSystem;
  readonly directory: string;
  readonly hasher: Hasher;
  readonly contents: DirectoryContents;
  readonly path: (segment: number) => string;
}

/**
 * Whether there is a log in a directory, sound or damaged. Changes nothing.
 * @throws {WalrusError} `OCTOPII_WALRUS_IO_FAILED`, also if there is no such directory
 */
export async function containsWalrus(directory: string, ports: ToolPorts = {}): Promise<boolean> {
  const { contents } = await listLog(directory, ports);
  return contents.marked || contents.segments.length > 0;
}

/** Lists a log's directory. @throws {WalrusError} `OCTOPII_WALRUS_IO_FAILED` */
export async function listLog(directory: string, ports: ToolPorts): Promise<LogDirectory> {
  const fileSystem = ports.fileSystem ?? nodeFileSystem;
  try {
    const contents = sortNames(await fileSystem.readDirectory(directory));
    return { fileSystem, directory, hasher: await openHasher(), contents, path: (number) => `${directory}/${segmentName(number)}` };
  } catch (error) {
    const { code } = error as { readonly code?: unknown };
    if (code === "ENOENT") throw noDirectory(`There is no directory ${directory}; check the path.`, error);
    if (code === "ENOTDIR") throw noDirectory(`${directory} is no directory; give that of the log.`, error);
    throw asWalrusError(error, "list", directory);
  }
}

function noDirectory(message: string, cause: unknown): WalrusError {
  return new WalrusError("OCTOPII_WALRUS_IO_FAILED", message, { cause, outcome: "failed" });
}
