import type { SparseBytes } from "./sparse-bytes.js";

/** The unit that a disk writes whole or not at all, in bytes. */
export const SECTOR_BYTES = 512;

/** A change of a file that is in the page cache and not yet on the disk. */
export type Mutation =
  | { readonly kind: "write"; readonly position: number; readonly bytes: Uint8Array }
  | { readonly kind: "truncate"; readonly size: number };

/** Makes the change in `target`. */
export function applyMutation(target: SparseBytes, mutation: Mutation): void {
  if (mutation.kind === "write") target.write(mutation.bytes, mutation.position);
  else target.resize(mutation.size);
}

/** The first sector that a write touches. */
export function firstSector(position: number): number {
  return Math.floor(position / SECTOR_BYTES);
}

/** One past the last sector that a write touches. */
export function endSector(position: number, length: number): number {
  return length === 0 ? firstSector(position) : Math.ceil((position + length) / SECTOR_BYTES);
}

/** Writes that part of a change which lies in one sector, without growing the file's size beyond what it needs. */
export function applySector(target: SparseBytes, position: number, bytes: Uint8Array, sector: number): void {
  const from = Math.max(position, sector * SECTOR_BYTES);
  const to = Math.min(position + bytes.length, (sector + 1) * SECTOR_BYTES);
  if (from < to) target.write(bytes.subarray(from - position, to - position), from);
}
