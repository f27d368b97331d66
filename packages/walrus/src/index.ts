/**
 * A write-ahead log of many topics in one sequence of segments: what was acknowledged survives a crash, what was damaged is reported.
 *
 * @packageDocumentation
 */
export { isWalrusError, WalrusError, type WalrusErrorCode, type WalrusErrorExtras } from "./errors.js";
export { readDefaults } from "./log-reader.js";
export { openWalrus } from "./open-walrus.js";
export { resolveWalrusOptions, type WalrusConfig, type WalrusOptions, walrusDefaults } from "./options.js";
export { prepareWalrus } from "./prepare-walrus.js";
export type { BatchOperation, Entry, IndexRange, ReadOptions, Walrus, WalrusPorts, WalrusStatus } from "./types.js";
