import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import type { Reporter, SerializedError, TestModule, Vitest } from "vitest/node";
import type { Counted } from "../lib/verdict.js";

/**
 * A reporter for vitest that writes how many tests passed and failed, with a line for each failure. Vitest's own JSON has no errors
 * that were thrown outside of any test, and an unhandled rejection fails a run that has no failed test.
 */
export default class TallyReporter implements Reporter {
  #file: string | undefined;

  onInit(vitest: Vitest): void {
    const { outputFile } = vitest.config;
    this.#file = typeof outputFile === "string" ? outputFile : outputFile?.tally;
  }

  onTestRunEnd(modules: readonly TestModule[], unhandled: readonly SerializedError[]): void {
    if (this.#file !== undefined) writeFileSync(this.#file, JSON.stringify(count(modules, unhandled)));
  }
}

/** A file that failed without a failed test (it could not be loaded, or a hook threw) counts as one failure. */
export function count(modules: readonly TestModule[], unhandled: readonly SerializedError[]): Counted {
  let passed = 0;
  const failures: string[] = [];
  for (const module of modules) {
    const file = basename(module.moduleId);
    for (const _ of module.children.allTests("passed")) passed += 1;
    const before = failures.length;
    for (const test of module.children.allTests("failed")) failures.push(line(`${file}: ${test.fullName}`, test.result().errors));
    if (failures.length === before && !module.ok()) failures.push(line(file, module.errors()));
  }
  for (const error of unhandled) failures.push(line("outside of any test", [error]));
  return { passed, failed: failures.length, failures };
}

function line(name: string, errors: readonly { readonly message: string }[] | undefined): string {
  const why = errors?.[0]?.message.split("\n", 1)[0];
  return why === undefined ? name : `${name}: ${why}`;
}
