import type { GroupId, Index, Term } from "@octopii/raft";

/** What the name of a snapshot's file says. */
export interface SnapshotName {
  readonly group: GroupId;
  readonly index: Index;
  readonly term: Term;
  /** Tells files of one snapshot apart; the highest is the newest. */
  readonly sequence: number;
  /** Its writer has not finished it. */
  readonly isTemporary: boolean;
}

const pattern = /^(\d+)-(\d{16})-(\d+)-(\d+)\.snapshot(\.new)?$/;

/** `<group>-<index>-<term>-<sequence>.snapshot`, the index with leading zeros so that a directory lists them in order; `.new` while unfinished. */
export function formatSnapshotName({ group, index, term, sequence, isTemporary }: SnapshotName): string {
  return `${group}-${String(index).padStart(16, "0")}-${term}-${sequence}.snapshot${isTemporary ? ".new" : ""}`;
}

/** Reads such a name; null if it is another file's. */
export function parseSnapshotName(text: string): SnapshotName | null {
  const match = pattern.exec(text);
  if (match === null) return null;
  const [group, index, term, sequence] = match.slice(1, 5).map(Number) as [number, number, number, number];
  const name = { group, index, term, sequence, isTemporary: match[5] !== undefined };
  const isSafe = [group, index, term, sequence].every((number) => Number.isSafeInteger(number));
  return isSafe && formatSnapshotName(name) === text ? name : null;
}
