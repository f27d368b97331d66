import type { FileSystem, NodeId } from "@octopii/interfaces";
import { CoreError } from "./errors.js";

/** The file that says whose directory it is. */
export const identityFile = "node.json";
const formatVersion = 1;
/** More than any identity needs, with as many authorities as a node may trust; a larger file is none. */
const identityBytesMax = 64 * 1024;

/** Whose a data directory is, as its `node.json` says. */
export interface DirectoryIdentity {
  readonly cluster: string;
  readonly nodeId: NodeId;
  /** Fingerprints of the authorities that the node trusted when it last ran, sorted; absent if it never ran with credentials. */
  readonly authorities?: readonly string[];
  /** The id of the log in it, in hexadecimal; absent until there is one. From then on the node may have voted. */
  readonly log?: string;
}

/** What a directory's file says; null if there is none. @throws {CoreError} `DIRECTORY_FOREIGN` if it makes no sense. */
export async function readIdentity(fileSystem: FileSystem, directory: string): Promise<DirectoryIdentity | null> {
  const path = `${directory}/${identityFile}`;
  const text = await readText(fileSystem, path);
  if (text === null) return null;
  const value = parse(text);
  if (typeof value?.format === "number" && value.format !== formatVersion) {
    throw foreign(
      `${path} has format ${value.format}; this release reads format ${formatVersion}: run the release that wrote it, or a newer one.`,
    );
  }
  if (value === null || !isIdentity(value)) throw foreign(`${path} is damaged; restore it from a backup, or choose another directory.`);
  const { cluster, nodeId, authorities, log } = value;
  return { cluster, nodeId, ...(authorities !== undefined && { authorities }), ...(log !== undefined && { log }) };
}

/** Puts an identity in place of what a directory's file says, durably: after a crash the file is the old one or the new one. */
export async function writeIdentity(fileSystem: FileSystem, directory: string, identity: DirectoryIdentity): Promise<void> {
  const temporary = `${directory}/${identityFile}.new`;
  await fileSystem.remove(temporary).catch(ifMissing(undefined));
  const file = await fileSystem.open(temporary, { mode: "create" });
  try {
    await file.write([new TextEncoder().encode(`${JSON.stringify({ format: formatVersion, ...identity })}\n`)], 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await fileSystem.rename(temporary, `${directory}/${identityFile}`);
  await fileSystem.syncDirectory(directory);
}

/** The refusal of a directory. */
export function foreign(message: string): CoreError {
  return new CoreError("OCTOPII_CORE_DIRECTORY_FOREIGN", message);
}

/** Takes `value` where a file or directory is not there. */
export const ifMissing =
  <T>(value: T) =>
  (error: unknown): T => {
    if ((error as { code?: unknown }).code === "ENOENT") return value;
    throw error;
  };

function parse(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? (value as Record<string, unknown> | null) : null;
  } catch {
    return null;
  }
}

function isIdentity(value: Record<string, unknown>): value is Record<string, unknown> & DirectoryIdentity {
  const { format, cluster, nodeId, authorities, log } = value;
  if (format !== formatVersion || typeof cluster !== "string" || !Number.isSafeInteger(nodeId)) return false;
  if (authorities !== undefined && !(Array.isArray(authorities) && authorities.every((one) => isHex(one, 64)))) return false;
  return log === undefined || isHex(log, 32);
}

const isHex = (value: unknown, digits: number): boolean =>
  typeof value === "string" && value.length === digits && /^[0-9a-f]+$/.test(value);

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
