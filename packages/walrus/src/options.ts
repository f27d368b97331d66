import { WalrusError } from "./errors.js";
import { LOG_ID_BYTES } from "./format/format.js";

const KIB = 1024;
const MIB = 1024 * KIB;
const GIB = 1024 * MIB;

/** What {@link openWalrus} takes. `undefined` means the default. */
export interface WalrusOptions {
  /** Where the segments are. Made if it is missing. One log per directory. */
  readonly directory: string;
  /**
   * The id of the log that must be there, as `status().logId` gave it. Then nothing is made: where there is no log, or another
   * one, opening is refused before anything is changed. Default: any log will do, and a new one is begun where there is none.
   */
  readonly expectedLogId?: string | undefined;
  /** A segment that has reached this size is sealed, and the next one begins. 4 KiB to 1 GiB. Default 64 MiB. */
  readonly segmentBytes?: number | undefined;
  /** The longest payload of one entry. 1 B to 1 GiB. Default 64 MiB. */
  readonly maxRecordBytes?: number | undefined;
  /**
   * How many bytes may wait to be written, payloads and record headers; beyond that, calls are rejected. Also the largest batch. At most
   * 2 GiB. Default 128 MiB, or `maxRecordBytes` and 64 MiB if that is more.
   */
  readonly maxQueuedBytes?: number | undefined;
  /** How many topics there may be. Each costs about 60 bytes at the head of every segment. At most 1,000,000. Default 10,000. */
  readonly maxTopics?: number | undefined;
  /** How many cursors there may be, over all topics. Each costs about 60 bytes at the head of every segment. At most 1,000,000. Default 10,000. */
  readonly maxCursors?: number | undefined;
  /**
   * When what a call wrote is flushed, where the call does not say so itself. `always`: before it resolves, so acknowledged means on stable
   * storage. `interval`: `flushIntervalMs` after the first write that was not. `bytes`: when `flushBytes` wait for it. `never`: when
   * `flush` is called, a segment is full, or the log is closed. Under the last three a power cut takes what was not flushed, from the end.
   * Default `always`.
   */
  readonly flush?: "always" | "interval" | "bytes" | "never" | undefined;
  /** For `flush: "interval"`. 1 to 3,600,000. Default 200. */
  readonly flushIntervalMs?: number | undefined;
  /** For `flush: "bytes"`. At least 1. Default 1 MiB. */
  readonly flushBytes?: number | undefined;
  /** What the log's segments may take on disk, at least four segments. What is filled ahead comes on top. Default: no limit. */
  readonly maxDiskBytes?: number | undefined;
  /**
   * What happens at `maxDiskBytes`. `reject`: appends are rejected with `OCTOPII_WALRUS_FULL` until truncation has made room. `evict`: the
   * oldest segment's entries are dropped from all topics, as by front truncation; the log may be over the limit by a segment and what is
   * queued. Default `reject`.
   */
  readonly whenFull?: "reject" | "evict" | undefined;
  /**
   * What makes entries go. `manual`: `truncateFront` alone. `consumed`: also that every cursor of their topic has passed them; a topic
   * without cursors keeps all. Default `manual`.
   */
  readonly retention?: "manual" | "consumed" | undefined;
  /**
   * When this share of the log's bytes belongs to entries that are gone, and more than two segments, the live entries of the oldest segment
   * are moved to the end. 0.1 to 0.9. Default 0.5: the log is at most about twice as long as what is live, and an entry is moved once or so.
   */
  readonly rewriteAtDeadRatio?: number | undefined;
  /** How far the segment that is written to is filled with zeros ahead of small flushed writes; 0 for never. At most 64 MiB. Default 1 MiB. */
  readonly fillAheadBytes?: number | undefined;
  /** How much memory may hold where the entries of sealed segments are, 8 bytes for each. At least 1 MiB. Default 64 MiB. */
  readonly indexCacheBytes?: number | undefined;
  /**
   * What is read and checked before anything is changed. `tail`: the last segment, and the ends of the others, so that opening takes the same
   * time however long the log is; the rest is checked when it is read. `all`: every byte. Default `tail`.
   */
  readonly verifyOnOpen?: "tail" | "all" | undefined;
  /**
   * Files are written and read by calls that block the thread, which saves two hand-overs between threads per flush: for worker threads that
   * do nothing else. Default false.
   */
  readonly blocking?: boolean | undefined;
}

/** Options after defaults and checks. */
export interface WalrusConfig {
  readonly directory: string;
  /** Null: any log, or a new one. */
  readonly expectedLogId: string | null;
  readonly segmentBytes: number;
  readonly maxRecordBytes: number;
  readonly maxQueuedBytes: number;
  readonly maxTopics: number;
  readonly maxCursors: number;
  readonly flush: "always" | "interval" | "bytes" | "never";
  readonly flushIntervalMs: number;
  readonly flushBytes: number;
  /** Null: no limit. */
  readonly maxDiskBytes: number | null;
  readonly whenFull: "reject" | "evict";
  readonly retention: "manual" | "consumed";
  readonly rewriteAtDeadRatio: number;
  readonly fillAheadBytes: number;
  readonly indexCacheBytes: number;
  readonly verifyOnOpen: "tail" | "all";
  readonly blocking: boolean;
}

/** The defaults, each with its reason. */
export const walrusDefaults: Readonly<Omit<WalrusConfig, "directory" | "expectedLogId">> = {
  /** Large enough that sealing (three flushes) is rare, small enough that reclaim frees space in useful steps. */
  segmentBytes: 64 * MIB,
  /** A flush carries whole records, so a longer one would hold everybody up; log a reference to a file instead. */
  maxRecordBytes: 64 * MIB,
  /** Room for one record of the largest size and as much again behind it. */
  maxQueuedBytes: 128 * MIB + 64 * KIB,
  /** Far more than Raft groups in one process; restating them costs half a megabyte per segment. */
  maxTopics: 10_000,
  /** One for each topic, or as many for a few. */
  maxCursors: 10_000,
  /** The only one under which nothing that was acknowledged is ever lost to a power cut. */
  flush: "always",
  /** Long enough that the disk is idle most of the time. */
  flushIntervalMs: 200,
  /** A flush of so much takes hardly longer than one of nothing. */
  flushBytes: MIB,
  maxDiskBytes: null,
  /** Nothing is dropped that nobody gave up. */
  whenFull: "reject",
  retention: "manual",
  /** Doubles the disk at most, and writes each live entry about twice. */
  rewriteAtDeadRatio: 0.5,
  /** Thousands of small flushes per filling, and next to nothing on disk. */
  fillAheadBytes: MIB,
  /** Eight million entries. */
  indexCacheBytes: 64 * MIB,
  /** Nothing is given out unchecked, and who has a long log should not wait for all of it. */
  verifyOnOpen: "tail",
  blocking: false,
};

const LOG_ID = new RegExp(`^[0-9a-f]{${2 * LOG_ID_BYTES}}$`);

/** What a record needs besides its payload, a declaration of its topic included. */
const RECORD_OVERHEAD_BYTES = 512;

/** The options that are numbers, with what they may be. */
const limits = {
  segmentBytes: [4 * KIB, GIB],
  maxRecordBytes: [1, GIB],
  maxQueuedBytes: [1 + RECORD_OVERHEAD_BYTES, 2 * GIB],
  maxTopics: [1, 1_000_000],
  maxCursors: [1, 1_000_000],
  flushIntervalMs: [1, 3_600_000],
  flushBytes: [1, GIB],
  fillAheadBytes: [0, 64 * MIB],
  indexCacheBytes: [MIB, 16 * GIB],
} as const;

/** The options that are one of a few words. */
const words = {
  flush: ["always", "interval", "bytes", "never"],
  whenFull: ["reject", "evict"],
  retention: ["manual", "consumed"],
  verifyOnOpen: ["tail", "all"],
} as const;

/**
 * Completes and checks options.
 * @throws {WalrusError} `OCTOPII_WALRUS_INVALID_OPTIONS`, listing every problem.
 */
export function resolveWalrusOptions(options: WalrusOptions): WalrusConfig {
  const maxRecordBytes = options.maxRecordBytes ?? walrusDefaults.maxRecordBytes;
  const config: WalrusConfig = {
    directory: options.directory,
    expectedLogId: options.expectedLogId ?? null,
    segmentBytes: options.segmentBytes ?? walrusDefaults.segmentBytes,
    maxRecordBytes,
    maxQueuedBytes: options.maxQueuedBytes ?? Math.max(walrusDefaults.maxQueuedBytes, maxRecordBytes + walrusDefaults.maxRecordBytes),
    maxTopics: options.maxTopics ?? walrusDefaults.maxTopics,
    maxCursors: options.maxCursors ?? walrusDefaults.maxCursors,
    flush: options.flush ?? walrusDefaults.flush,
    flushIntervalMs: options.flushIntervalMs ?? walrusDefaults.flushIntervalMs,
    flushBytes: options.flushBytes ?? walrusDefaults.flushBytes,
    maxDiskBytes: options.maxDiskBytes ?? null,
    whenFull: options.whenFull ?? walrusDefaults.whenFull,
    retention: options.retention ?? walrusDefaults.retention,
    rewriteAtDeadRatio: options.rewriteAtDeadRatio ?? walrusDefaults.rewriteAtDeadRatio,
    fillAheadBytes: options.fillAheadBytes ?? walrusDefaults.fillAheadBytes,
    indexCacheBytes: options.indexCacheBytes ?? walrusDefaults.indexCacheBytes,
    verifyOnOpen: options.verifyOnOpen ?? walrusDefaults.verifyOnOpen,
    blocking: options.blocking ?? walrusDefaults.blocking,
  };
  const problems = problemsOf(config);
  if (problems.length > 0) {
    const message = `The options of the log cannot work: ${problems.join("; ")}.`;
    throw new WalrusError("OCTOPII_WALRUS_INVALID_OPTIONS", message, { details: { problems } });
  }
  return config;
}

function problemsOf(config: WalrusConfig): string[] {
  const { directory, expectedLogId, maxQueuedBytes, maxRecordBytes, maxDiskBytes, segmentBytes, rewriteAtDeadRatio } = config;
  const problems: string[] = [];
  if (typeof directory !== "string" || directory === "") problems.push("directory must be a path");
  if (expectedLogId !== null && !(typeof expectedLogId === "string" && LOG_ID.test(expectedLogId))) {
    problems.push(`expectedLogId must be ${2 * LOG_ID_BYTES} lower-case hexadecimal digits, not ${String(expectedLogId)}`);
  }
  for (const name of Object.keys(limits) as (keyof typeof limits)[]) {
    const [low, high] = limits[name];
    if (!isWhole(config[name], low, high))
      problems.push(`${name} must be a whole number from ${low} to ${high}, not ${String(config[name])}`);
  }
  for (const name of Object.keys(words) as (keyof typeof words)[]) {
    const allowed: readonly string[] = words[name];
    if (!allowed.includes(config[name])) problems.push(`${name} must be one of ${allowed.join(", ")}, not ${String(config[name])}`);
  }
  if (typeof config.blocking !== "boolean") problems.push("blocking must be true or false");
  if (!(rewriteAtDeadRatio >= 0.1 && rewriteAtDeadRatio <= 0.9)) problems.push("rewriteAtDeadRatio must be from 0.1 to 0.9");
  if (maxQueuedBytes < maxRecordBytes + RECORD_OVERHEAD_BYTES) {
    problems.push(`maxQueuedBytes must be at least maxRecordBytes + ${RECORD_OVERHEAD_BYTES}, or the longest record could never be taken`);
  }
  if (maxDiskBytes !== null && !isWhole(maxDiskBytes, 4 * segmentBytes, Number.MAX_SAFE_INTEGER)) {
    problems.push(`maxDiskBytes must be a whole number of at least four segments, ${4 * segmentBytes}, not ${String(maxDiskBytes)}`);
  }
  return problems;
}

function isWhole(value: number, low: number, high: number): boolean {
  return Number.isSafeInteger(value) && value >= low && value <= high;
}
