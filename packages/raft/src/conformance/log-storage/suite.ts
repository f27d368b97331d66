import { type ConformanceCase, casesOf } from "../case.js";
import { appendCases } from "./append-cases.js";
import { damageCases, failWritesCases } from "./fault-cases.js";
import { installCases } from "./install-cases.js";
import { LogLab } from "./lab.js";
import type { LogStorageFactory, LogStorageSuiteOptions } from "./options.js";
import { orderCases } from "./order-cases.js";

/**
 * What every `LogStorage` must do, one case for each sentence of its contract:
 * `for (const { name, run } of testLogStorage(…)) test(name, run);`.
 * @param name - stands before the name of each case.
 * @param factory - makes empty storages; a case that crashes takes many.
 */
export function testLogStorage(name: string, factory: LogStorageFactory, options: LogStorageSuiteOptions = {}): readonly ConformanceCase[] {
  const { crashPoints = 12, faults = [] } = options;
  const tables = [appendCases, orderCases, installCases];
  if (faults.includes("failWrites")) tables.push(failWritesCases);
  if (faults.includes("damage")) tables.push(damageCases);
  return casesOf(name, tables, () => new LogLab(factory, crashPoints));
}
