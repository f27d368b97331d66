import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, readdir, readFile, realpath, rename, unlink, writeFile } from "node:fs/promises";
import type { FileLock } from "@octopii/interfaces";
import { isAlive, ownIdentity, type ProcessIdentity } from "./process-identity.js";
import { errnoCode } from "./settle.js";

/** What a lock file says. */
interface Owner extends ProcessIdentity {
  readonly version: 1;
  /** Tells two claims of one process apart. */
  readonly nonce: string;
}

/** Enough for any race that ends; more would mean that locks come and go faster than we can read them. */
const maxAttempts = 20;

/** The directories that this process holds, so that a second claim is refused whatever the file says. */
const held = new Set<string>();

function locked(directory: string, by: string): NodeJS.ErrnoException {
  const error: NodeJS.ErrnoException = new Error(`ELOCKED: ${directory} is in use by ${by}`);
  error.code = "ELOCKED";
  return error;
}

function ignoreMissing(error: unknown): void {
  if (errnoCode(error) !== "ENOENT") throw error;
}

function isOwner(value: unknown): value is Owner {
  if (typeof value !== "object" || value === null) return false;
  const { version, pid, nonce, bootId, startTime } = value as Record<string, unknown>;
  const text = (field: unknown): boolean => field === null || typeof field === "string";
  const named = typeof nonce === "string" && /^[0-9a-f-]{1,64}$/.test(nonce);
  return version === 1 && Number.isSafeInteger(pid) && (pid as number) > 0 && named && text(bootId) && text(startTime);
}

/** Who holds the lock file at `path`; null if it is not there. */
async function readOwner(directory: string, path: string): Promise<Owner | null> {
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

/** A claim in the making: a complete lock file under a name of its own, to be linked or renamed into place as one step. */
interface Claim {
  readonly directory: string;
  readonly own: string;
}

/** How file systems say that they have no hard links. */
const noLinkCodes: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/** Makes `to` a whole copy of `from`, or fails with `EEXIST`. Without hard links a reader may see it empty, and then takes it as held. */
async function publish(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (!noLinkCodes.has(errnoCode(error))) throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL);
  }
}

/** Whether `path` is ours now. False: somebody else changed it meanwhile; look again. */
async function take(claim: Claim, path: string): Promise<boolean> {
  try {
    await publish(claim.own, path);
    return true;
  } catch (error) {
    if (errnoCode(error) !== "EEXIST") throw error;
  }
  const owner = await readOwner(claim.directory, path);
  if (owner === null) return false;
  if (isAlive(owner)) throw locked(claim.directory, `process ${owner.pid}; stop it first, or give each log a directory of its own`);
  return replaceDead(claim, path, owner);
}

/**
 * Puts our claim in the place of a dead owner's. Only the holder of the guard file that carries the dead claim's nonce may do so, hence
 * nobody can replace, in the belief that it is still the dead one, a lock that another process has just taken.
 */
async function replaceDead(claim: Claim, path: string, dead: Owner): Promise<boolean> {
  const guard = `${claim.directory}/lock.takeover.${dead.nonce}`;
  if (!(await take(claim, guard))) return false;
  try {
    const now = await readOwner(claim.directory, path);
    if (now?.nonce !== dead.nonce) return false;
    const copy = `${claim.own}.copy`;
    await publish(claim.own, copy);
    await rename(copy, path);
    return true;
  } finally {
    await unlink(guard).catch(ignoreMissing);
  }
}

async function claimDirectory(directory: string, owner: Owner): Promise<void> {
  const claim: Claim = { directory, own: `${directory}/lock.claim.${owner.nonce}` };
  await writeFile(claim.own, `${JSON.stringify(owner)}\n`, { flag: "wx" });
  try {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      if (await take(claim, `${directory}/lock`)) return;
    }
    throw locked(directory, "processes that claim and release it all the time; try again later");
  } finally {
    await unlink(claim.own).catch(ignoreMissing);
    await unlink(`${claim.own}.copy`).catch(ignoreMissing);
  }
}

/** Removes what processes left behind that died while they claimed the directory. Only the holder of the lock does this. */
async function sweep(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith("lock.")) continue;
    const owner = await readOwner(directory, `${directory}/${name}`).catch(() => null);
    if (owner !== null && !isAlive(owner)) await unlink(`${directory}/${name}`).catch(ignoreMissing);
  }
}

class DirectoryLock implements FileLock {
  readonly #directory: string;
  readonly #nonce: string;
  #released: Promise<void> | null = null;

  constructor(directory: string, nonce: string) {
    this.#directory = directory;
    this.#nonce = nonce;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  async #release(): Promise<void> {
    const path = `${this.#directory}/lock`;
    try {
      const owner = await readOwner(this.#directory, path);
      if (owner?.nonce === this.#nonce) await unlink(path);
    } finally {
      held.delete(this.#directory);
    }
  }
}

/** Claims a directory for this process, as the `FileSystem` port asks. */
export async function lockDirectory(path: string): Promise<FileLock> {
  const directory = await realpath(path);
  if (held.has(directory)) throw locked(directory, `process ${process.pid}, which is this one; give each log a directory of its own`);
  held.add(directory);
  const owner: Owner = { version: 1, ...ownIdentity(), nonce: randomUUID() };
  try {
    await claimDirectory(directory, owner);
    await sweep(directory).catch(() => undefined);
    return new DirectoryLock(directory, owner.nonce);
  } catch (error) {
    held.delete(directory);
    throw error;
  }
}
