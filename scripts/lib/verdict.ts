import { writeFileSync } from "node:fs";

/** What every command of this repository counts. */
export interface Tally {
  readonly passed: number;
  readonly failed: number;
}

/** A tally with a line for each failure. */
export interface Counted extends Tally {
  readonly failures: readonly string[];
}

/** The last line that a command prints. */
export function verdictLine(tally: Tally): string {
  return `${tally.passed} passed, ${tally.failed} failed`;
}

/** The tally that a command's `--json FILE` held, with its failures where it names them, or null when the text is not one. */
export function parseTally(text: string): Counted | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || !("passed" in value) || !("failed" in value)) return null;
  const { passed, failed } = value;
  const failures = "failures" in value && Array.isArray(value.failures) ? value.failures.map(nameOf) : [];
  return isCount(passed) && isCount(failed) ? { passed, failed, failures } : null;
}

/** Tests have names, and simulated runs have seeds. */
function nameOf(failure: unknown): string {
  if (typeof failure !== "object" || failure === null) return String(failure);
  const { name, seed, message } = failure as { readonly name?: unknown; readonly seed?: unknown; readonly message?: unknown };
  if (name !== undefined) return String(name);
  return seed === undefined ? JSON.stringify(failure) : `seed ${String(seed)}: ${String(message)}`;
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
