import { type ConformanceCase, casesOf } from "../case.js";
import { applyCases } from "./apply-cases.js";
import { MachineLab } from "./lab.js";
import type { StateMachineSuiteOptions } from "./options.js";
import { snapshotCases } from "./snapshot-cases.js";

/**
 * What every `StateMachine` must do, one case for each sentence of its contract; see {@link testLogStorage}.
 * @param name - stands before the name of each case.
 * @throws RangeError if there are too few commands to tell anything.
 */
export function testStateMachine<Result>(name: string, options: StateMachineSuiteOptions<Result>): readonly ConformanceCase[] {
  if (options.commands.length < 4)
    throw new RangeError("testStateMachine needs at least four commands, of which the later ask for what the earlier did.");
  const tables = options.snapshots === false ? [applyCases] : [applyCases, snapshotCases];
  return casesOf<MachineLab<unknown>>(name, tables, () => new MachineLab<unknown>(options));
}
