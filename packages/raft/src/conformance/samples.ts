import type { Configuration } from "../configuration/index.js";
import type { Entry, EntryKind, HardState, SnapshotMetadata } from "../types.js";

const kinds: readonly EntryKind[] = ["command", "noop", "configuration", "founding"];

/** Bytes that differ from place to place, and from those of another seed. */
export function sampleBytes(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, at) => (at * 31 + seed * 101 + (at >>> 8)) & 0xff);
}

/** Entries `[from, to]` of one term; data of all sizes from none to `bytes`, and every kind. */
export function sampleEntries(from: number, to: number, term: number, bytes = 40): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => {
    const index = from + at;
    const data = sampleBytes(index % 5 === 0 ? 0 : (index * 7) % (bytes + 1), index * 10 + term);
    return { index, term, kind: kinds[index % kinds.length] ?? "command", data };
  });
}

/** Entries `[from, to]` of which each has exactly `bytes` of data. */
export function entriesOf(bytes: number, from: number, to: number, term = 1): Entry[] {
  return Array.from({ length: to - from + 1 }, (_, at) => {
    const index = from + at;
    return { index, term, kind: "command", data: sampleBytes(bytes, index) };
  });
}

export const hardStateOf = (currentTerm: number, votedFor: number, commitIndex: number): HardState => ({
  currentTerm,
  votedFor,
  commitIndex,
});

const joint: Configuration = { voters: [1, 2, 4], votersOutgoing: [1, 2, 3], learners: [7], learnersNext: [3], autoLeave: true };
const settled: Configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [9], learnersNext: [], autoLeave: false };

/** Every other one in the midst of a change of the membership. */
export function sampleSnapshot(index: number, term: number): SnapshotMetadata {
  return { index, term, configuration: index % 2 === 0 ? joint : settled };
}
