import type { Entry, GroupId, HardState, LogStorage, StoredLog, TermRun } from "@octopii/raft";
import type { BatchOperation, Walrus } from "@octopii/walrus";
import { decodeEntry, decodeHardState, encodeEntry, encodeHardState } from "./entry-record.js";

/** How much of the log is read at once while a node starts. */
const loadBytesMax = 4 * 1024 * 1024;
const loadEntriesMax = 16_384;

/** Old hard states are dropped from the log's books when this many have gathered. */
const hardStatesKept = 1024;

/**
 * Keeps Raft's log and hard state in a Walrus: two topics per group, so that one flush covers both and one batch makes both
 * durable or neither. A record's index in its topic is the entry's index in the Raft log.
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
    const terms: TermRun[] = [{ firstIndex: first - 1, term: 0 }];
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
    if (hardState !== null) operations.push(...this.#hardStateOperations(group, hardState));
    await this.#wal.appendBatch(operations);
  }

  async read(group: GroupId, from: number, to: number, maxBytes: number): Promise<readonly Entry[]> {
    const maxEntries = Math.min(to - from + 1, loadEntriesMax);
    const records = await this.#wal.read(entryTopic(group), from, { maxEntries, maxBytes });
    return records.map(({ index, payload }) => decodeEntry(index, payload));
  }

  async #loadHardState(group: GroupId): Promise<HardState | null> {
    const topic = hardStateTopic(group);
    const { first, next } = this.#wal.bounds(topic);
    if (next === first) return null;
    const [record] = await this.#wal.read(topic, next - 1, { maxEntries: 1 });
    return record === undefined ? null : decodeHardState(record.payload);
  }

  #hardStateOperations(group: GroupId, hardState: HardState): BatchOperation[] {
    const topic = hardStateTopic(group);
    const append: BatchOperation = { topic, append: [encodeHardState(hardState)] };
    const { first, next } = this.#wal.bounds(topic);
    return next - first < hardStatesKept ? [append] : [append, { topic, truncateFront: next }];
  }
}

const entryTopic = (group: GroupId): string => `raft/${group}/entries`;
const hardStateTopic = (group: GroupId): string => `raft/${group}/hard-state`;
