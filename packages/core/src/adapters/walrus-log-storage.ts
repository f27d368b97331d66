import type { Entry, GroupId, HardState, LogStorage, SnapshotMetadata, StoredLog, TermRun } from "@octopii/raft";
import { type BatchOperation, isWalrusError, type Walrus } from "@octopii/walrus";
import { decodeBase, decodeEntry, decodeHardState, encodeBase, encodeEntry, encodeHardState, type LogBase } from "./entry-record.js";

/** How much of the log is read at once while a node starts. */
const loadBytesMax = 4 * 1024 * 1024;
const loadEntriesMax = 16_384;

/** Old hard states, and bases, are dropped from the log's books when this many have gathered. */
const supersededMax = 1024;

/**
 * Keeps Raft's log in a Walrus: per group a topic for the entries, one for hard states and one for bases, so that one flush covers all and
 * one batch makes all durable or none. A record's index in its topic is the entry's index in the Raft log; of the other two, the newest counts.
 */
export class WalrusLogStorage implements LogStorage {
  readonly #wal: Walrus;
  readonly #onLoaded: () => Promise<void>;

  /** @param onLoaded - awaited when a group was read back in full, before Raft takes part with it. Default: nothing. */
  constructor(wal: Walrus, onLoaded: () => Promise<void> = () => Promise.resolve()) {
    this.#wal = wal;
    this.#onLoaded = onLoaded;
  }

  /** Reads every entry once, checksums included: a node reads its live range before it votes. */
  async load(group: GroupId): Promise<StoredLog> {
    const { first, next } = this.#wal.bounds(entryTopic(group));
    const base = await this.#loadBase(group);
    if (base.index !== first - 1)
      throw new Error(
        `The log's entries begin at ${first}, but it says that it begins after ${base.index}: it was not written by one program alone.`,
      );
    const terms: TermRun[] = [{ firstIndex: base.index, term: base.term }];
    for (let from = first; from < next; ) {
      const records = await this.#wal.read(entryTopic(group), from, { maxBytes: loadBytesMax, maxEntries: loadEntriesMax });
      for (const { index, payload } of records) {
        const { term } = decodeEntry(index, payload);
        if (term !== terms[terms.length - 1]?.term) terms.push({ firstIndex: index, term });
      }
      from += records.length;
    }
    const hardState = await this.#loadHardState(group);
    await this.#onLoaded();
    return { hardState, compactedIndex: first - 1, lastIndex: next - 1, terms };
  }

  async append(group: GroupId, hardState: HardState | null, entries: readonly Entry[]): Promise<void> {
    const operations: BatchOperation[] = [];
    const first = entries[0];
    if (first !== undefined) {
      const topic = entryTopic(group);
      // `bounds` counts what is queued as well, so several appends may be on their way.
      if (first.index < this.#wal.bounds(topic).next) operations.push({ topic, truncateBack: first.index });
      operations.push({ topic, append: entries.map(encodeEntry) });
    }
    if (hardState !== null) operations.push(...this.#supersede(hardStateTopic(group), encodeHardState(hardState)));
    await this.#wal.appendBatch(operations);
  }

  async read(group: GroupId, from: number, to: number, maxBytes: number): Promise<readonly Entry[]> {
    const maxEntries = Math.min(to - from + 1, loadEntriesMax);
    try {
      const records = await this.#wal.read(entryTopic(group), from, { maxEntries, maxBytes });
      return records.map(({ index, payload }) => decodeEntry(index, payload));
    } catch (error) {
      if (isWalrusError(error, "OCTOPII_WALRUS_TRUNCATED")) return [];
      throw error;
    }
  }

  async compact(group: GroupId, index: number): Promise<void> {
    const [last] = await this.read(group, index, index, 1);
    // A snapshot was installed meanwhile, and went further.
    if (last === undefined || index < this.#wal.bounds(entryTopic(group)).first) return;
    const base = this.#supersede(baseTopic(group), encodeBase({ index, term: last.term }), 0);
    const compacted: BatchOperation = { topic: entryTopic(group), truncateFront: index + 1 };
    await this.#wal.appendBatch([...base, compacted, ...this.#forgetOldHardStates(group)]);
  }

  async install(group: GroupId, hardState: HardState | null, { index, term }: SnapshotMetadata): Promise<void> {
    const topic = entryTopic(group);
    const { first } = this.#wal.bounds(topic);
    const operations: BatchOperation[] = this.#supersede(baseTopic(group), encodeBase({ index, term }), 0);
    // Nothing of the old log may stay, not even what is beyond the snapshot.
    operations.push({ topic, truncateBack: first }, { topic, truncateFront: index + 1 }, ...this.#forgetOldHardStates(group));
    if (hardState !== null) operations.push(...this.#supersede(hardStateTopic(group), encodeHardState(hardState)));
    await this.#wal.appendBatch(operations);
  }

  async #loadHardState(group: GroupId): Promise<HardState | null> {
    const record = await this.#newest(hardStateTopic(group));
    return record === null ? null : decodeHardState(record);
  }

  async #loadBase(group: GroupId): Promise<LogBase> {
    const record = await this.#newest(baseTopic(group));
    return record === null ? { index: 0, term: 0 } : decodeBase(record);
  }

  async #newest(topic: string): Promise<Uint8Array | null> {
    const { first, next } = this.#wal.bounds(topic);
    if (next === first) return null;
    const [record] = await this.#wal.read(topic, next - 1, { maxEntries: 1 });
    return record?.payload ?? null;
  }

  /** All hard states but the newest go, so that nothing old but the log's own entries holds a segment of the disk. */
  #forgetOldHardStates(group: GroupId): BatchOperation[] {
    const topic = hardStateTopic(group);
    const { first, next } = this.#wal.bounds(topic);
    return next - first > 1 ? [{ topic, truncateFront: next - 1 }] : [];
  }

  /** A record that takes the place of all before it in its topic. @param keep - how many of those may stay for now. */
  #supersede(topic: string, record: Uint8Array, keep: number = supersededMax): BatchOperation[] {
    const append: BatchOperation = { topic, append: [record] };
    const { first, next } = this.#wal.bounds(topic);
    return next === first || next - first < keep ? [append] : [append, { topic, truncateFront: next }];
  }
}

const entryTopic = (group: GroupId): string => `raft/${group}/entries`;
const hardStateTopic = (group: GroupId): string => `raft/${group}/hard-state`;
const baseTopic = (group: GroupId): string => `raft/${group}/base`;
