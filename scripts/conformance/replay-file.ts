import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { type Directive, parseDirectives } from "./data-driven.js";
import { lineDiff } from "./line-diff.js";
import type { Report } from "./report.js";

/** Carries out one directive and gives what it prints. Throws for a directive that is not understood. */
export type Replay = (directive: Directive) => string;

/** The `.txt` files of the first folder that has any, sorted. */
export async function findTexts(dir: string, folders: readonly string[]): Promise<string[]> {
  for (const folder of folders) {
    const path = join(dir, folder);
    const names = await readdir(path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" || error.code === "ENOTDIR") return [];
      throw error;
    });
    const texts = names.filter((name) => name.endsWith(".txt")).sort();
    if (texts.length > 0) return texts.map((name) => join(path, name));
  }
  return [];
}

/**
 * Replays one file: each directive is a case, and must print the very same text.
 * @param begin - given all of the file; state lasts from directive to directive within it.
 */
export function replayFile(name: string, text: string, begin: (directives: readonly Directive[]) => Replay, report: Report): void {
  let directives: Directive[];
  let replay: Replay;
  try {
    directives = parseDirectives(text);
    replay = begin(directives);
  } catch (error) {
    report.failed(name, String(error));
    return;
  }
  if (directives.length === 0) report.failed(name, "the file holds no cases");
  for (const directive of directives) {
    const actual = attempt(() => replay(directive));
    if (actual === directive.expected) report.passed();
    else report.failed(`${name}:${directive.line} ${directive.command}`, lineDiff(directive.expected, actual));
  }
}

function attempt(print: () => string): string {
  try {
    return print();
  } catch (error) {
    return String(error);
  }
}
