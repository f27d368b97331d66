import { WalrusError } from "./errors.js";
import { LOG_ID_BYTES } from "./format.js";

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
  /** The longest payload of one entry. 1 B to 64 MiB in this release. Default 64 MiB. */
  readonly maxRecordBytes?: number | undefined;
  /** How many bytes may wait for the disk, payloads and record headers; beyond that, calls are rejected. Also the largest batch. At most 1 GiB. */
  readonly maxQueuedBytes?: number | undefined;
  /** How many topics there may be. Each costs about 50 bytes at the head of every segment. At most 1,000,000. */
  readonly maxTopics?: number | undefined;
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
};

const LOG_ID = new RegExp(`^[0-9a-f]{${2 * LOG_ID_BYTES}}$`);

/** What a record needs besides its payload, a declaration of its topic included. */
const RECORD_OVERHEAD_BYTES = 512;

type Limit = readonly [name: "segmentBytes" | "maxRecordBytes" | "maxQueuedBytes" | "maxTopics", low: number, high: number];

const limits: readonly Limit[] = [
  ["segmentBytes", 4 * KIB, GIB],
  ["maxRecordBytes", 1, 64 * MIB],
  ["maxQueuedBytes", 1 + RECORD_OVERHEAD_BYTES, GIB],
  ["maxTopics", 1, 1_000_000],
];

/**
 * Completes and checks options.
 * @throws {WalrusError} `OCTOPII_WALRUS_INVALID_OPTIONS`, listing every problem.
 */
export function resolveWalrusOptions(options: WalrusOptions): WalrusConfig {
  const problems: string[] = [];
  const directory = options.directory;
  if (typeof directory !== "string" || directory === "") problems.push("directory must be a path");
  const expectedLogId = options.expectedLogId ?? null;
  if (expectedLogId !== null && !(typeof expectedLogId === "string" && LOG_ID.test(expectedLogId))) {
    problems.push(`expectedLogId must be ${2 * LOG_ID_BYTES} lower-case hexadecimal digits, not ${String(expectedLogId)}`);
  }
  const config = {
    directory,
    expectedLogId,
    segmentBytes: options.segmentBytes ?? walrusDefaults.segmentBytes,
    maxRecordBytes: options.maxRecordBytes ?? walrusDefaults.maxRecordBytes,
    maxQueuedBytes: options.maxQueuedBytes ?? walrusDefaults.maxQueuedBytes,
    maxTopics: options.maxTopics ?? walrusDefaults.maxTopics,
  };
  for (const [name, low, high] of limits) {
    const value = config[name];
    if (!Number.isSafeInteger(value) || value < low || value > high) {
      problems.push(`${name} must be a whole number from ${low} to ${high}, not ${String(value)}`);
    }
  }
  if (config.maxQueuedBytes < config.maxRecordBytes + RECORD_OVERHEAD_BYTES) {
    problems.push(`maxQueuedBytes must be at least maxRecordBytes + ${RECORD_OVERHEAD_BYTES}, or the longest record could never be taken`);
  }
  if (problems.length > 0) {
    const message = `The options of the log cannot work: ${problems.join("; ")}.`;
    throw new WalrusError("OCTOPII_WALRUS_INVALID_OPTIONS", message, { details: { problems } });
  }
  return config;
}
