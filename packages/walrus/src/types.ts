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

/** How much one read returns. */
export interface ReadOptions {
  /** At most this many entries. Default 1,024. */
  readonly maxEntries?: number | undefined;
  /** At most this many payload bytes, except that the first entry is returned however long it is. Default 1 MiB. */
  readonly maxBytes?: number | undefined;
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
  /** The bytes that were taken and are not durable yet. */
  readonly queuedBytes: number;
  /** Flushes since the log was opened. */
  readonly flushes: number;
  /** Records that they made durable, truncations and declarations included. */
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
 * Whatever a call appends or truncates is durable when its promise resolves, and promises resolve in the order of the calls. Calls need
 * not wait for one another: all that wait while a flush is in flight share the next one.
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
   * @throws {WalrusError} `OCTOPII_WALRUS_BUSY`, `_TOO_LARGE`, `_TOO_MANY_TOPICS`, `_OUT_OF_RANGE`, `_IO_FAILED`, `_POISONED`, `_CLOSED`
   */
  append(topic: string, payload: Uint8Array): Promise<number>;
  /**
   * Executes the operations in order and makes them durable as one: after a crash there are all of them or none.
   * @returns for each operation the indexes that it appended; an empty range at the topic's end for a truncation.
   * @throws {WalrusError} as {@link Walrus.append}
   */
  appendBatch(operations: readonly BatchOperation[]): Promise<readonly IndexRange[]>;
  /**
   * Keeps all entries below `index` and drops the others; the next append is `index`. Does nothing if there are none at or above `index`.
   * @throws {WalrusError} `OCTOPII_WALRUS_OUT_OF_RANGE` if `index` is below the topic's first; otherwise as {@link Walrus.append}
   */
  truncateBack(topic: string, index: number): Promise<void>;
  /**
   * Keeps the entries at `index` and above and drops the others. May pass the end: then the topic is empty and the next append is `index`.
   * Does nothing if there are none below `index` and the end is not below it either.
   * @throws {WalrusError} as {@link Walrus.append}
   */
  truncateFront(topic: string, index: number): Promise<void>;
  /**
   * Durable entries from index `from` on, oldest first; at least one if there is one. Bytes are checked as they are read.
   * @throws {WalrusError} `OCTOPII_WALRUS_TRUNCATED` if `from` is below the topic's first, `OCTOPII_WALRUS_CORRUPT`, `_IO_FAILED`,
   * `_POISONED`, `_CLOSED`
   */
  read(topic: string, from: number, options?: ReadOptions): Promise<Entry[]>;
  /** The durable entries from index `from` on, batch by batch; ends after the last. @throws {WalrusError} as {@link Walrus.read} */
  entries(topic: string, from: number, options?: ReadOptions): AsyncIterableIterator<Entry>;
  /**
   * The lowest index that is left and the index of the next append, calls that were taken and are not durable yet included.
   * `{ first: 1, next: 1 }` for a topic that does not exist.
   */
  bounds(topic: string): IndexRange;
  /** The names of all topics, those that are empty included, in the order in which they were first used. */
  topics(): string[];
  /** Resolves when everything that was taken before the call is durable. */
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
