import type { FileSystem, Logger } from "@octopii/interfaces";
import { nodeFileSystem } from "@octopii/system";
import { asWalrusError } from "../errors.js";
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

/** Lists a log's directory. @throws {WalrusError} `OCTOPII_WALRUS_IO_FAILED` */
export async function listLog(directory: string, ports: ToolPorts): Promise<LogDirectory> {
  const fileSystem = ports.fileSystem ?? nodeFileSystem;
  try {
    const contents = sortNames(await fileSystem.readDirectory(directory));
    return { fileSystem, directory, hasher: await openHasher(), contents, path: (number) => `${directory}/${segmentName(number)}` };
  } catch (error) {
    throw asWalrusError(error, "list", directory);
  }
}
