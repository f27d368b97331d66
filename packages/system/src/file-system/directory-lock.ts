import { randomUUID } from "node:crypto";
import { constants } from "node:fs";
import { copyFile, link, readdir, realpath, rename, unlink } from "node:fs/promises";
import type { FileLock } from "@octopii/interfaces";
import { ignoreMissing, locked, newOwner, type Owner, readOwner, writeOwner } from "./lock-owner.js";
import { isAlive } from "./process-identity.js";
import { errnoCode } from "./settle.js";

/*
 * The protocol. A directory is held by whoever has put a claim at `lock`, or, where a dead owner's claim stands in the way, at
 * `lock.takeover.<that claim's nonce>`; if another dead owner's claim is there, then at the name that goes with that one, and so on. A
 * claim appears in one step, only where nothing is, and then stands for its owner only if all that was in its way is still there.
 *
 * A dead owner's claim is replaced only by whoever holds the name that goes with it, so nobody can take for the dead one's a place that
 * somebody else has just taken: its name would not be free, or would lead to nothing. Until a claim is confirmed nothing that was there
 * before is touched. Confirming moves it up the chain by renaming it over the dead ones, each step of which is atomic.
 */

/** Enough for any race that ends; more would mean that claims come and go faster than we can read them. */
const maxAttempts = 20;

/** So many claims of processes that were killed before they confirmed are left as they are; beyond it, all but `lock` make room. */
const maxKeptRemains = 16;

/** No chain gets this long by itself: somebody made it, perhaps into a circle. */
const maxRemains = 64;

/** The directories that this process holds, so that a second claim is refused whatever the files say. */
const held = new Set<string>();

/** A dead owner's claim. */
interface Remains {
  readonly path: string;
  readonly nonce: string;
}

/** Where a claim belongs, and the dead ones in its way, outermost first. */
interface Place {
  readonly remains: Remains[];
  readonly path: string;
}

async function findPlace(directory: string): Promise<Place> {
  const remains: Remains[] = [];
  let path = `${directory}/lock`;
  while (remains.length <= maxRemains) {
    const owner = await readOwner(directory, path);
    if (owner === null) return { remains, path };
    if (isAlive(owner)) throw locked(directory, `process ${owner.pid}; stop it first, or give each log a directory of its own`);
    remains.push({ path, nonce: owner.nonce });
    path = `${directory}/lock.takeover.${owner.nonce}`;
  }
  throw locked(directory, "too many dead owners; remove its files lock and lock.* once you are sure that no process uses the directory");
}

/** Whether all that was found in a claim's way is still there. */
async function isUnchanged(directory: string, remains: readonly Remains[]): Promise<boolean> {
  for (const { path, nonce } of remains) {
    if ((await readOwner(directory, path))?.nonce !== nonce) return false;
  }
  return true;
}

/** How file systems say that they have no hard links. */
const noLinkCodes: ReadonlySet<string | undefined> = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"]);

/**
 * Makes `to` a whole copy of `from`; false if something is there. Without hard links a reader may see it before it is whole, and then
 * takes the directory as held.
 */
async function publish(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to).catch((error: unknown) => {
      if (!noLinkCodes.has(errnoCode(error))) throw error;
      return copyFile(from, to, constants.COPYFILE_EXCL);
    });
    return true;
  } catch (error) {
    if (errnoCode(error) !== "EEXIST") throw error;
    return false;
  }
}

/** Puts the claim in the file `own` where it belongs; null if somebody was faster. */
async function tryClaim(directory: string, own: string): Promise<Place | null> {
  const place = await findPlace(directory);
  if (!(await publish(own, place.path))) return null;
  let isOurs = false;
  try {
    isOurs = await isUnchanged(directory, place.remains);
    return isOurs ? place : null;
  } finally {
    if (!isOurs) await unlink(place.path);
  }
}

async function claimDirectory(directory: string, owner: Owner): Promise<Place> {
  // Whoever is refused because of a live owner writes nothing at all.
  await findPlace(directory);
  const own = `${directory}/lock.claim.${owner.nonce}`;
  try {
    await writeOwner(own, owner);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const place = await tryClaim(directory, own);
      if (place !== null) return place;
    }
    throw locked(directory, "processes that claim and release it all the time; try again later");
  } finally {
    // Harmless if it stays; it is swept when its owner is dead.
    await unlink(own).catch(() => undefined);
  }
}

/** Removes what processes left behind that died while they claimed the directory. Only the holder of a confirmed claim does this. */
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
  readonly #remains: Remains[];
  #path: string;
  #confirmed: Promise<void> | null = null;
  #released: Promise<void> | null = null;

  constructor(directory: string, nonce: string, place: Place) {
    this.#directory = directory;
    this.#nonce = nonce;
    this.#remains = place.remains;
    this.#path = place.path;
  }

  confirm(): Promise<void> {
    if (this.#released !== null) {
      return Promise.reject(Object.assign(new Error(`EBADF: the lock of ${this.#directory} was released`), { code: "EBADF" }));
    }
    this.#confirmed ??= this.#confirm();
    return this.#confirmed;
  }

  release(): Promise<void> {
    this.#released ??= this.#release();
    return this.#released;
  }

  /** Puts the claim in the place of the dead ones until no more than `count` are left. */
  async replaceRemains(count: number): Promise<void> {
    for (let dead = this.#remains.at(-1); dead !== undefined && this.#remains.length > count; dead = this.#remains.at(-1)) {
      await rename(this.#path, dead.path);
      this.#path = dead.path;
      this.#remains.pop();
    }
  }

  async #confirm(): Promise<void> {
    await this.replaceRemains(0);
    await sweep(this.#directory).catch(() => undefined);
  }

  async #release(): Promise<void> {
    await this.#confirmed?.catch(() => undefined);
    try {
      const owner = await readOwner(this.#directory, this.#path);
      if (owner?.nonce === this.#nonce) await unlink(this.#path);
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
  const owner = newOwner(randomUUID());
  try {
    const place = await claimDirectory(directory, owner);
    const isCrowded = place.remains.length > maxKeptRemains;
    const lock = new DirectoryLock(directory, owner.nonce, place);
    if (isCrowded) await lock.replaceRemains(1);
    return lock;
  } catch (error) {
    held.delete(directory);
    throw error;
  }
}
