/**
 * A write-ahead log of many topics in one sequence of segments: what was acknowledged survives a crash, what was damaged is reported.
 *
 * @packageDocumentation
 */
export { isWalrusError, WalrusError, type WalrusErrorCode, type WalrusErrorExtras } from "./errors.js";
export { openWalrus } from "./open-walrus.js";
export { resolveWalrusOptions, type WalrusConfig, type WalrusOptions, walrusDefaults } from "./options.js";
export { prepareWalrus } from "./prepare-walrus.js";
export { readDefaults } from "./read/log-reader.js";
export { dumpWalrus } from "./tools/dump.js";
export type { DumpedRecord } from "./tools/dumped-record.js";
export { inspectWalrus, type LogSummary, type SegmentSummary } from "./tools/inspect.js";
export { containsWalrus, type Progress, type ToolPorts } from "./tools/log-directory.js";
export type { LostEntries } from "./tools/lost.js";
export { type RepairOptions, type RepairReport, repairWalrus } from "./tools/repair.js";
export { type TailLogOptions, type TailLogPorts, tailWalrus } from "./tools/tail-log.js";
export { type TopicSummary, type VerifyOptions, type VerifyReport, verifyWalrus } from "./tools/verify.js";
export type {
  AppendOptions,
  BatchOperation,
  Cursor,
  CursorOptions,
  Entry,
  IndexRange,
  ReadOptions,
  TailOptions,
  Walrus,
  WalrusPorts,
  WalrusStatus,
} from "./types.js";
