import assert from "node:assert/strict";
import type { LogStorage, StoredLog } from "../../ports.js";
import type { Entry, HardState, SnapshotMetadata } from "../../types.js";
import { LogImage } from "../memory/log-image.js";

/** One call that changes the log. */
export type Operation =
  | { readonly type: "append"; readonly hardState: HardState | null; readonly entries: readonly Entry[] }
  | { readonly type: "install"; readonly hardState: HardState | null; readonly snapshot: SnapshotMetadata };

export const append = (entries: readonly Entry[], hardState: HardState | null = null): Operation => ({
  type: "append",
  hardState,
  entries,
});

export const install = (snapshot: SnapshotMetadata, hardState: HardState | null = null): Operation => ({
  type: "install",
  hardState,
  snapshot,
});

/** @returns what the storage gives, undefined included. */
export function perform(storage: LogStorage, group: number, operation: Operation): Promise<void> | undefined {
  const { hardState } = operation;
  if (operation.type === "append") return storage.append(group, hardState, operation.entries);
  return storage.install(group, hardState, operation.snapshot);
}

/** What a log should be after `operations`. */
export function modelOf(operations: readonly Operation[]): LogImage {
  const image = new LogImage();
  for (const operation of operations) {
    const { hardState } = operation;
    if (operation.type === "append") image.append(hardState, operation.entries);
    else image.install(hardState, operation.snapshot);
  }
  return image;
}

/** A log in a form that is easy to compare, and to read where it differs. */
export interface LogContents {
  readonly hardState: HardState | null;
  readonly compactedIndex: number;
  readonly lastIndex: number;
  /** Of every index from `compactedIndex` on. */
  readonly terms: readonly number[];
  readonly entries: readonly string[];
}

export function contentsOf(log: StoredLog, entries: readonly Entry[]): LogContents {
  const { hardState, compactedIndex, lastIndex } = log;
  const terms = Array.from({ length: Math.max(0, lastIndex - compactedIndex + 1) }, (_, at) => termAt(log, compactedIndex + at));
  return { hardState: hardState && { ...hardState }, compactedIndex, lastIndex, terms, entries: entries.map(print) };
}

export function modelContents(image: LogImage): LogContents {
  return contentsOf(image, image.read(image.compactedIndex + 1, image.lastIndex, Number.POSITIVE_INFINITY));
}

function termAt({ terms }: StoredLog, index: number): number {
  let term = -1;
  for (const run of terms) if (run.firstIndex <= index) term = run.term;
  return term;
}

const print = ({ index, term, kind, data }: Entry): string => `${index}/${term} ${kind} ${Array.from(data).join()}`;

/** Compares entries by what they say, whichever kind of byte array they came in. */
export function assertEntries(actual: readonly Entry[], expected: readonly Entry[]): void {
  assert.deepEqual(actual.map(print), expected.map(print));
}
