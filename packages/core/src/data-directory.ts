import type { FileSystem, NodeId } from "@octopii/interfaces";
import { CoreError } from "./errors.js";

/** The file that says whose directory it is. */
const identityFile = "node.json";
const formatVersion = 1;
/** Far more than an identity needs; a larger file is none. */
const identityBytesMax = 64 * 1024;

interface Identity {
  readonly format: number;
  readonly cluster: string;
  readonly nodeId: NodeId;
}

/** Where a node keeps its log. */
export function logDirectory(directory: string): string {
  return `${directory}/log`;
}

/**
 * Checks that a data directory is this node's, or nobody's yet. Changes nothing.
 * @returns whether it is already ours.
 * @throws {CoreError} `DIRECTORY_FOREIGN`, naming the owner.
 */
export async function checkOwner(fileSystem: FileSystem, directory: string, cluster: string, nodeId: NodeId): Promise<boolean> {
  const found = await readIdentity(fileSystem, directory);
  if (found === null) {
    if (!(await isEmpty(fileSystem, logDirectory(directory)))) {
      throw foreign(
        `${directory} holds a log but no ${identityFile}, so nobody can tell whose it is; restore that file, or choose another directory.`,
      );
    }
    return false;
  }
  if (found.cluster === cluster && found.nodeId === nodeId) return true;
  const owner = `node ${found.nodeId} of cluster ${found.cluster}`;
  throw foreign(`${directory} belongs to ${owner}, not to node ${nodeId} of cluster ${cluster}; give each node a directory of its own.`);
}

/** Writes this node's name into a directory that is nobody's, durably. */
export async function claim(fileSystem: FileSystem, directory: string, cluster: string, nodeId: NodeId): Promise<void> {
  await fileSystem.makeDirectory(directory);
  const identity: Identity = { format: formatVersion, cluster, nodeId };
  const temporary = `${directory}/${identityFile}.new`;
  await removeIfThere(fileSystem, temporary);
  const file = await fileSystem.open(temporary, { mode: "create" });
  try {
    await file.write([new TextEncoder().encode(`${JSON.stringify(identity)}\n`)], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(temporary, `${directory}/${identityFile}`);
  await fileSystem.syncDirectory(directory);
}

async function readIdentity(fileSystem: FileSystem, directory: string): Promise<Identity | null> {
  const path = `${directory}/${identityFile}`;
  const text = await readText(fileSystem, path);
  if (text === null) return null;
  const identity = parse(text);
  if (identity === null) throw foreign(`${path} is damaged; restore it from a backup, or choose another directory.`);
  if (identity.format !== formatVersion) {
    throw foreign(
      `${path} has format ${identity.format}; this release reads format ${formatVersion}: run the release that wrote it, or a newer one.`,
    );
  }
  return identity;
}

function parse(text: string): Identity | null {
  try {
    const value = JSON.parse(text) as Partial<Identity> | null;
    if (typeof value?.format !== "number" || typeof value.cluster !== "string" || !Number.isSafeInteger(value.nodeId)) return null;
    return value as Identity;
  } catch {
    return null;
  }
}

async function readText(fileSystem: FileSystem, path: string): Promise<string | null> {
  const file = await fileSystem.open(path, { mode: "read" }).catch(ifMissing(null));
  if (file === null) return null;
  try {
    const bytes = new Uint8Array(Math.min(await file.size(), identityBytesMax));
    const length = await file.read(bytes, 0);
    return new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    await file.close();
  }
}

async function isEmpty(fileSystem: FileSystem, directory: string): Promise<boolean> {
  return (await fileSystem.readDirectory(directory).catch(ifMissing<string[]>([]))).length === 0;
}

async function removeIfThere(fileSystem: FileSystem, path: string): Promise<void> {
  await fileSystem.remove(path).catch(ifMissing(undefined));
}

const ifMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as { code?: unknown }).code === "ENOENT") return value;
    throw error;
  };

function foreign(message: string): CoreError {
  return new CoreError("OCTOPII_CORE_DIRECTORY_FOREIGN", message);
}
