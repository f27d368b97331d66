import { open, readFile } from "node:fs/promises";
import { ownIdentity, type ProcessIdentity } from "./process-identity.js";
import { errnoCode } from "./settle.js";

/** What a lock file says. */
export interface Owner extends ProcessIdentity {
  readonly version: 1;
  /** Tells one claim from every other that was ever made. */
  readonly nonce: string;
}

/** A claim of this process. */
export function newOwner(nonce: string): Owner {
  return { version: 1, ...ownIdentity(), nonce };
}

/** The refusal of a directory that is taken. */
export function locked(directory: string, by: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`ELOCKED: ${directory} is in use by ${by}`);
  error.code = "ELOCKED";
  return error;
}

export function ignoreMissing(error: unknown): void {
  if (errnoCode(error) !== "ENOENT") throw error;
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== "object" || value === null) return false;
  const { version, pid, nonce, bootId, startTime } = value as Record<string, unknown>;
  const text = (field: unknown): boolean => field === null || typeof field === "string";
  const named = typeof nonce === "string" && /^[0-9a-f-]{1,64}$/.test(nonce);
  return version === 1 && Number.isSafeInteger(pid) && (pid as number) > 0 && named && text(bootId) && text(startTime);
}

/** Whose claim the file at `path` is; null if it is not there. */
export async function readOwner(directory: string, path: string): Promise<Owner | null> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    ignoreMissing(error);
    return null;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isOwner(value)) return value;
  } catch {
    // Falls through: what cannot be read cannot be judged.
  }
  throw locked(directory, `an owner that ${path} does not name; remove that file once you are sure that no process uses the directory`);
}

/** Writes a claim to a new file, and its bytes to stable storage: a lock file that a power cut emptied could not be judged. */
export async function writeOwner(path: string, owner: Owner): Promise<void> {
  const file = await open(path, "wx");
  try {
    await file.writeFile(`${JSON.stringify(owner)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
}
