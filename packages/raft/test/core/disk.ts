import type { Configuration, Entry, HardState, LogWrite, RaftCoreStart, SnapshotMetadata, TermRun } from "../../src/index.js";

/** A snapshot as a disk keeps it: what it stands for, and the commands that the state machine had seen. */
export interface StoredSnapshot {
  readonly metadata: SnapshotMetadata;
  readonly state: readonly string[];
}

/** What a restart finds: only what was durable. */
export class TestDisk {
  hardState: HardState = { currentTerm: 0, votedFor: 0, commitIndex: 0 };
  compactedIndex = 0;
  compactedTerm = 0;
  entries: Entry[] = [];
  snapshots: StoredSnapshot[] = [];

  get lastIndex(): number {
    return this.compactedIndex + this.entries.length;
  }

  /** A snapshot takes the place of the log, entries replace what stands from the first one's index on; all or nothing. */
  write({ snapshot, entries, hardState }: LogWrite): void {
    if (snapshot !== null) {
      this.compactedIndex = snapshot.index;
      this.compactedTerm = snapshot.term;
      this.entries = [];
    }
    const first = entries[0];
    if (first !== undefined) {
      const keep = first.index - this.compactedIndex - 1;
      if (keep < 0 || keep > this.entries.length) throw new Error(`entry ${first.index} written after ${this.lastIndex}`);
      this.entries.splice(keep, Number.POSITIVE_INFINITY, ...entries);
    }
    if (hardState !== null) this.hardState = hardState;
  }

  compact(index: number): void {
    if (index <= this.compactedIndex) return;
    this.compactedTerm = this.entries[index - this.compactedIndex - 1]?.term ?? 0;
    this.entries.splice(0, index - this.compactedIndex);
    this.compactedIndex = index;
  }

  /** Entries in `[from, to]`, up to about `maxBytes`, at least one; none if `from` was compacted away. */
  read(from: number, to: number, maxBytes: number): Entry[] {
    if (from <= this.compactedIndex) return [];
    let bytes = 0;
    return this.entries.slice(from - this.compactedIndex - 1, to - this.compactedIndex).filter(({ data, index }) => {
      bytes += data.length;
      return bytes <= maxBytes || index === from;
    });
  }

  snapshotAt(index: number): StoredSnapshot | undefined {
    return this.snapshots.find(({ metadata }) => metadata.index === index);
  }

  get #terms(): TermRun[] {
    const terms = [{ firstIndex: this.compactedIndex, term: this.compactedTerm }];
    for (const { index, term } of this.entries) if (term !== terms[terms.length - 1]?.term) terms.push({ firstIndex: index, term });
    return terms;
  }

  /** What a restart begins with, and the state that the state machine had at the newest snapshot. */
  start(id: number, founders: Configuration): { start: RaftCoreStart; state: readonly string[] } {
    const { compactedIndex, lastIndex, hardState } = this;
    const usable = this.snapshots.filter(({ metadata: { index } }) => index >= compactedIndex && index <= lastIndex);
    const newest = usable.reduce<StoredSnapshot | null>(
      (best, one) => (one.metadata.index > (best?.metadata.index ?? 0) ? one : best),
      null,
    );
    const appliedIndex = newest?.metadata.index ?? 0;
    const commitIndex = Math.max(hardState.commitIndex, appliedIndex);
    const start: RaftCoreStart = {
      id,
      group: 0,
      hardState: { ...hardState },
      configuration: newest?.metadata.configuration ?? founders,
      snapshot: newest?.metadata ?? null,
      log: { compactedIndex, lastIndex, terms: this.#terms, commitIndex, appliedIndex },
    };
    return { start, state: newest?.state ?? [] };
  }
}
