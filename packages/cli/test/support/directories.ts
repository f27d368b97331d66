import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";

/** A directory that is gone after the tests of this file. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), "octopii-cli-test-"));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The names and contents of all files below a directory, as one hash. */
export function hashOf(directory: string): string {
  const hash = createHash("sha256");
  const entries = readdirSync(directory, { recursive: true, withFileTypes: true });
  for (const entry of entries
    .map((one) => ({ path: join(one.parentPath, one.name), isFile: one.isFile() }))
    .sort((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${entry.path}\0`);
    if (entry.isFile) hash.update(readFileSync(entry.path));
  }
  return hash.digest("hex");
}
