import type { FileSystem, Logger, Random, Scheduler } from "@octopii/interfaces";

/** What the log needs from outside. Each defaults to the system's; the logger to silence. */
export interface WalrusPorts {
  readonly fileSystem?: FileSystem | undefined;
  readonly logger?: Logger | undefined;
  /** Gives the turn in which everything that was appended in this one is written. */
  readonly scheduler?: Scheduler | undefined;
  /** Makes the id of a new log. */
  readonly random?: Random | undefined;
}

/** One entry of a topic. */
export interface Entry {
  readonly index: number;
  /** The caller owns it. Payloads that one call returned may be views of one allocation; copy a short one that is kept for long. */
  readonly payload: Uint8Array;
}

/** The indexes `[first, next)`. */
export interface IndexRange {
  readonly first: number;
  readonly next: number;
}

/** One step of a batch. Steps are executed in order. */
export type BatchOperation =
  /** Appends the payloads, in order. */
  | { readonly topic: string; readonly append: readonly Uint8Array[] }
  /** As {@link Walrus.truncateBack}. */
  | { readonly topic: string; readonly truncateBack: number }
  /** As {@link Walrus.truncateFront}. */
  | { readonly topic: string; readonly truncateFront: number };

/** How one call is made durable. */
export interface AppendOptions {
  /** Whether the call resolves only when it is on stable storage. Default: what the log's `flush` option says. Calls that share a write share its flush. */
  readonly flush?: boolean | undefined;
}

/** How much one read returns. */
export interface ReadOptions {
  /** At most this many entries. Default 1,024. */
  readonly maxEntries?: number | undefined;
  /** At most this many payload bytes, except that the first entry is returned however long it is. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
}

/** How a topic is followed. */
export interface TailOptions extends ReadOptions {
  /** Ends the wait; the iterator rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** How a cursor keeps its place. */
export interface CursorOptions {
  /**
   * `strictly-at-once`: the place is on stable storage before `consume` gives the entries, so none is given twice; those that a crash caught
   * between are not given again. `at-least-once`: the place is stored every `persistEvery` entries, at `checkpoint`, and when the log is
   * closed; after a crash the entries since then are given again. Default `strictly-at-once`.
   */
  readonly mode?: "strictly-at-once" | "at-least-once" | undefined;
  /** For `at-least-once`: 1 to 1,000,000,000. Default 1,000. */
  readonly persistEvery?: number | undefined;
}

/**
 * One consumer's place in a topic, kept in the log under a name. It stays within the topic: front truncation moves it up, and back
 * truncation down, to the topic's bounds. Calls on one cursor are carried out one after the other.
 */
export interface Cursor {
  readonly topic: string;
  readonly name: string;
  /** The index of the entry that comes next. */
  readonly position: number;
  /** The entries that come next; the place stays. @throws {WalrusError} as {@link Walrus.read} */
  peek(options?: ReadOptions): Promise<Entry[]>;
  /** The entries that come next, and moves the place behind them. Empty if there are none. @throws {WalrusError} as {@link Walrus.read} and {@link Walrus.append} */
  consume(options?: ReadOptions): Promise<Entry[]>;
  /** Puts the place where it is now on stable storage. @throws {WalrusError} as {@link Walrus.append} */
  checkpoint(): Promise<void>;
  /** Moves the place, and puts it on stable storage. @param index - taken to the nearest bound if it is outside of the topic. */
  seek(index: number): Promise<void>;
}

/** What the log is doing. */
export interface WalrusStatus {
  /** `poisoned`: a write or flush failed; open the log anew. */
  readonly state: "open" | "poisoned" | "closing" | "closed";
  readonly directory: string;
  /** What tells this log from every other, from its making on: 32 lower-case hexadecimal digits. See `expectedLogId` in the options. */
  readonly logId: string;
  readonly topics: number;
  readonly segments: number;
  /** The number of the oldest segment. */
  readonly firstSegment: number;
  /** The number of the segment that is written to. */
  readonly lastSegment: number;
  /** The bytes of all segments. */
  readonly bytes: number;
  /** Of these, roughly, the bytes of entries that are live. */
  readonly liveBytes: number;
  /** The bytes that were taken and are not written yet. */
  readonly queuedBytes: number;
  /** The bytes that were written and are not flushed yet. */
  readonly unflushedBytes: number;
  /** Flushes since the log was opened. */
  readonly flushes: number;
  /** Records that were written, truncations, declarations, cursors and moved entries included. */
  readonly records: number;
  /** What opening found. */
  readonly recovery: {
    /** Whether the log was closed properly, or new. */
    readonly clean: boolean;
    /**
     * The bytes that were cut from the end of a log that was not closed. Most likely a write that a crash interrupted, so never
     * acknowledged; but damage to the last commit, acknowledged or not, cannot be told from that.
     */
    readonly tornBytes: number;
  };
}

/**
 * A log of many topics. Entries of a topic have contiguous indexes; the first is 1.
 *
 * Under the default policy, `always`, whatever a call appends or truncates is durable when its promise resolves; see `flush` in the options
 * for the others. Promises resolve in the order of the calls. Calls need not wait for one another: all that wait while a write is in
 * flight share the next one. Reads see what has been acknowledged.
 *
 * A call that is rejected before it was taken has the outcome `failed` and changed nothing. When a write or flush fails, its calls are
 * rejected with `OCTOPII_WALRUS_IO_FAILED` and the outcome `unknown`, those that waited behind it with `failed`, and every later call with
 * `OCTOPII_WALRUS_POISONED`, until the log is opened anew.
 */
export interface Walrus {
  /**
   * Appends one entry; resolves with its index. The topic is made by its first append.
   * @param topic - 1 to 255 bytes of UTF-8.
   * @param payload - may be empty. Leave it alone until the promise settles.
   * @throws {WalrusError} `OCTOPII_WALRUS_BUSY`, `_FULL`, `_TOO_LARGE`, `_TOO_MANY_TOPICS`, `_OUT_OF_RANGE`, `_IO_FAILED`, `_POISONED`, `_CLOSED`
   */
  append(topic: string, payload: Uint8Array, options?: AppendOptions): Promise<number>;
  /**
   * Executes the operations in order as one: after a crash there are all of them or none.
   * @returns for each operation the indexes that it appended; an empty range at the topic's end for a truncation.
   * @throws {WalrusError} as {@link Walrus.append}
   */
  appendBatch(operations: readonly BatchOperation[], options?: AppendOptions): Promise<readonly IndexRange[]>;
  /**
   * Keeps all entries below `index` and drops the others; the next append is `index`. Does nothing if there are none at or above `index`.
   * @throws {WalrusError} `OCTOPII_WALRUS_OUT_OF_RANGE` if `index` is below the topic's first; otherwise as {@link Walrus.append}
   */
  truncateBack(topic: string, index: number, options?: AppendOptions): Promise<void>;
  /**
   * Keeps the entries at `index` and above and drops the others. May pass the end: then the topic is empty and the next append is `index`.
   * Does nothing if there are none below `index` and the end is not below it either.
   * @throws {WalrusError} as {@link Walrus.append}
   */
  truncateFront(topic: string, index: number, options?: AppendOptions): Promise<void>;
  /** The entry with this index; null if the topic does not have it. @throws {WalrusError} as {@link Walrus.read}, except `_TRUNCATED` */
  get(topic: string, index: number): Promise<Entry | null>;
  /**
   * Entries from index `from` on, oldest first; at least one if there is one. Bytes are checked as they are read.
   * @throws {WalrusError} `OCTOPII_WALRUS_TRUNCATED` if `from` is below the topic's first, `OCTOPII_WALRUS_CORRUPT`, `_IO_FAILED`,
   * `_POISONED`, `_CLOSED`
   */
  read(topic: string, from: number, options?: ReadOptions): Promise<Entry[]>;
  /** Entries from index `from` backwards, newest first; from the last one if `from` is beyond it. @throws {WalrusError} as {@link Walrus.read} */
  readReverse(topic: string, from: number, options?: ReadOptions): Promise<Entry[]>;
  /** The entries from index `from` on, batch by batch; ends after the last. @throws {WalrusError} as {@link Walrus.read} */
  entries(topic: string, from: number, options?: ReadOptions): AsyncIterableIterator<Entry>;
  /**
   * The entries from index `from` on, and then those that come, as they are acknowledged. Ends when the log is closed, and by `return`, which
   * leaving a `for await` calls; both end a wait, too. `from` may be beyond the end. Where a back truncation replaces entries that were given
   * already, it goes on from the cut: an index that is not above the last one says so.
   * @throws {WalrusError} as {@link Walrus.read}; the signal's reason
   */
  tail(topic: string, from: number, options?: TailOptions): AsyncIterableIterator<Entry>;
  /**
   * The lowest index that is left and the index of the next append, calls that were taken and are not written yet included.
   * `{ first: 1, next: 1 }` for a topic that does not exist.
   */
  bounds(topic: string): IndexRange;
  /** How many entries there are within {@link Walrus.bounds}. */
  count(topic: string): number;
  /** The names of all topics, those that are empty included, in the order in which they were first used. */
  topics(): string[];
  /**
   * Opens a cursor: where its name left off, or at the topic's first entry. The same object for the same topic and name while the log is
   * open; the options of the first call hold. It is stored from its first checkpoint on.
   * @throws {WalrusError} `OCTOPII_WALRUS_TOO_MANY_CURSORS`, `_TOO_LARGE`, `_POISONED`, `_CLOSED`
   */
  cursor(topic: string, name: string, options?: CursorOptions): Cursor;
  /** The cursors of a topic that are stored, by name, with the index that each gives next. */
  cursors(topic: string): ReadonlyMap<string, number>;
  /** Forgets a cursor. @throws {WalrusError} as {@link Walrus.append} */
  dropCursor(topic: string, name: string): Promise<void>;
  /** Resolves when everything that was taken before the call is on stable storage. */
  flush(): Promise<void>;
  /** What the log is doing now. */
  status(): WalrusStatus;
  /**
   * Takes nothing more, makes everything durable, marks the log as closed and releases it. A poisoned log is released without the mark.
   * Repeating the call gives the same promise.
   * @throws {WalrusError} `OCTOPII_WALRUS_IO_FAILED` if that fails; the directory is released all the same.
   */
  close(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}
