import { type ConformanceCase, casesOf } from "../case.js";
import { damageCases, keepingCases } from "./keeping-cases.js";
import { SnapshotLab } from "./lab.js";
import type { SnapshotStorageFactory, SnapshotStorageSuiteOptions } from "./options.js";
import { writingCases } from "./writing-cases.js";

/**
 * What every `SnapshotStorage` must do, one case for each sentence of its contract; see {@link testLogStorage}.
 * @param name - stands before the name of each case.
 * @param factory - makes empty storages; a case that crashes takes many.
 */
export function testSnapshotStorage(
  name: string,
  factory: SnapshotStorageFactory,
  options: SnapshotStorageSuiteOptions = {},
): readonly ConformanceCase[] {
  const { crashPoints = 12, largeBytes = 1024 * 1024, faults = [] } = options;
  const tables = [writingCases, keepingCases];
  if (faults.includes("damage")) tables.push(damageCases);
  return casesOf(name, tables, () => new SnapshotLab(factory, crashPoints, largeBytes));
}
