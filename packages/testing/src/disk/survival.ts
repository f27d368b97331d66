import type { SeededRandom } from "../random/seeded-random.js";
import { applyMutation, applySector, endSector, firstSector, type Mutation, SECTOR_BYTES } from "./mutation.js";
import { PAGE_BYTES, type SparseBytes } from "./sparse-bytes.js";

/**
 * How unsynced changes fare when the power fails. `prefix`: the first few survive, the next may be torn, as on a file system with an
 * ordered journal. `subset`: each page, and within it each sector, is as new or as old as it likes. `lose` and `keep`: all or nothing.
 */
export type SurvivalMode = "prefix" | "subset" | "lose" | "keep";

/** The state of a file on the disk after a power failure with `pending` changes in the page cache. Changes `durable` in place. */
export function settleFile(durable: SparseBytes, pending: readonly Mutation[], mode: SurvivalMode, random: SeededRandom): void {
  if (pending.length === 0 || mode === "lose") return;
  if (mode === "keep") for (const mutation of pending) applyMutation(durable, mutation);
  else if (mode === "prefix") settlePrefix(durable, pending, random);
  else settleSubset(durable, pending, random);
}

function settlePrefix(durable: SparseBytes, pending: readonly Mutation[], random: SeededRandom): void {
  const kept = random.below(pending.length + 1);
  for (const mutation of pending.slice(0, kept)) applyMutation(durable, mutation);
  const torn = pending[kept];
  if (torn?.kind === "write" && random.chance(1, 2)) tearWrite(durable, torn.position, torn.bytes, random);
}

/** Writes some sectors of `bytes`: mostly the first few, sometimes any. */
export function tearWrite(target: SparseBytes, position: number, bytes: Uint8Array, random: SeededRandom): void {
  const first = firstSector(position);
  const end = endSector(position, bytes.length);
  const prefixOnly = random.chance(3, 4);
  const cut = first + random.below(Math.max(1, end - first));
  for (let sector = first; sector < end; sector += 1) {
    if (prefixOnly ? sector < cut : random.chance(1, 2)) applySector(target, position, bytes, sector);
  }
}

/**
 * Chooses for each touched sector which of its versions survives. A sector's content is cumulative, so a version contains all earlier
 * writes to that sector. Size changes go to the journal in order; a cut that was lost takes with it what was written behind it, and a
 * cut that was kept lets nothing older come back.
 */
function settleSubset(durable: SparseBytes, pending: readonly Mutation[], random: SeededRandom): void {
  const sizes = sizeVersions(durable.size, pending);
  const kept = chooseEnd(pending.length, random);
  const cuts = findCuts(pending, sizes);
  const versions = chooseVersions(pending, cuts, kept, random);
  pending.forEach((mutation, index) => {
    if (mutation.kind === "truncate") {
      if (index < kept && cuts.has(index)) durable.resize(Math.min(durable.size, mutation.size));
      return;
    }
    const end = endSector(mutation.position, mutation.bytes.length);
    for (let sector = firstSector(mutation.position); sector < end; sector += 1) {
      if (index < (versions.get(sector) ?? 0)) applySector(durable, mutation.position, mutation.bytes, sector);
    }
  });
  durable.resize(sizes[kept] as number);
}

/** The file's size before any change and after each. */
function sizeVersions(start: number, pending: readonly Mutation[]): number[] {
  const sizes = [start];
  let size = start;
  for (const mutation of pending) {
    size = mutation.kind === "truncate" ? mutation.size : Math.max(size, mutation.position + mutation.bytes.length);
    sizes.push(size);
  }
  return sizes;
}

/** Where truncations cut the file shorter: index of the change → first sector that lost bytes. */
function findCuts(pending: readonly Mutation[], sizes: readonly number[]): ReadonlyMap<number, number> {
  const cuts = new Map<number, number>();
  pending.forEach((mutation, index) => {
    if (mutation.kind === "truncate" && mutation.size < (sizes[index] as number)) cuts.set(index, firstSector(mutation.size));
  });
  return cuts;
}

/** All, none, or some: the ends are where bugs live. */
function chooseEnd(count: number, random: SeededRandom): number {
  const shape = random.below(3);
  if (shape === 0) return 0;
  return shape === 1 ? count : random.below(count + 1);
}

/** Per touched sector, the number of changes whose part in it survives. */
function chooseVersions(
  pending: readonly Mutation[],
  cuts: ReadonlyMap<number, number>,
  kept: number,
  random: SeededRandom,
): ReadonlyMap<number, number> {
  const touches = new Map<number, number[]>();
  pending.forEach((mutation, index) => {
    if (mutation.kind === "truncate") return;
    const end = endSector(mutation.position, mutation.bytes.length);
    for (let sector = firstSector(mutation.position); sector < end; sector += 1) {
      const list = touches.get(sector);
      if (list === undefined) touches.set(sector, [index]);
      else list.push(index);
    }
  });
  const pages = new Map<number, "new" | "old" | "mixed">();
  const versions = new Map<number, number>();
  for (const [sector, indexes] of touches) {
    const page = Math.floor((sector * SECTOR_BYTES) / PAGE_BYTES);
    const fate = pages.get(page) ?? random.pick(["new", "old", "mixed"] as const);
    pages.set(page, fate);
    const [low, high] = versionRange(cuts, sector, kept, pending.length);
    const between = indexes.map((index) => index + 1).filter((version) => version > low && version <= high);
    if (fate === "mixed") versions.set(sector, random.pick([low, ...between]));
    else versions.set(sector, fate === "new" ? high : low);
  }
  return versions;
}

/** The versions that a sector can have, given which cuts survived. */
function versionRange(cuts: ReadonlyMap<number, number>, sector: number, kept: number, count: number): readonly [number, number] {
  let low = 0;
  let high = count;
  for (const [index, firstCut] of cuts) {
    if (sector < firstCut) continue;
    if (index < kept) low = Math.max(low, index);
    else high = Math.min(high, index);
  }
  return [low, high];
}
