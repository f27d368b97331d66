/**
 * What every `LogStorage`, `SnapshotStorage` and `StateMachine` must do, as cases for any test runner; and all ports in memory.
 *
 * @packageDocumentation
 */

export type { ConformanceCase } from "./case.js";
export type { LogStorageFactory, LogStorageFixture, LogStorageSuiteOptions } from "./log-storage/options.js";
export { testLogStorage } from "./log-storage/suite.js";
export { createMemoryKeyValue, encodeKeyValueCommand, type KeyValueCommand, type MemoryKeyValue } from "./memory/memory-key-value.js";
export { createMemoryLogStorage, type MemoryLogStorage, type MemoryLogStorageOptions } from "./memory/memory-log-storage.js";
export { createMemoryNetwork, type MemoryNetwork, type MemoryNetworkOptions } from "./memory/memory-network.js";
export { createMemorySnapshotStorage, type MemorySnapshotStorage } from "./memory/memory-snapshot-storage.js";
export type { SnapshotStorageFactory, SnapshotStorageFixture, SnapshotStorageSuiteOptions } from "./snapshot-storage/options.js";
export { testSnapshotStorage } from "./snapshot-storage/suite.js";
export type { StateMachineFixture, StateMachineSuiteOptions } from "./state-machine/options.js";
export { testStateMachine } from "./state-machine/suite.js";
