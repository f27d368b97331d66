import { writeFileSync } from "node:fs";

/** What every command of this repository counts. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** The last line that a command prints. */
export function verdictLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed`;
}

/** The tally that a command's `--json FILE` held, or null when the text is not one. */
export function parseTally(text: string): Tally | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || !("passed" in value) || !("failed" in value)) return null;
  const { passed, failed } = value;
  return isCount(passed) && isCount(failed) ? { passed, failed } : null;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0;
}

/** Prints the verdict as the last line of stdout, writes it to `jsonFile` when one was asked for, and sets the exit code. */
export function deliver(tally: Tally, jsonFile: string | undefined, details: object): void {
  if (jsonFile !== undefined) writeFileSync(jsonFile, `${JSON.stringify({ ...tally, ...details }, null, 2)}\n`);
  process.stdout.write(`${verdictLine(tally)}\n`);
  process.exitCode = tally.failed === 0 && tally.passed > 0 ? 0 : 1;
}

/** Seconds with one decimal, for a line of progress. */
export function seconds(elapsedMs: number): string {
  return `${(elapsedMs / 1000).toFixed(1)} s`;
}
