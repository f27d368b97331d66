import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { type Directive, parseDirectives } from "./data-driven.js";
import { createOwnCommands } from "./etcd-raft/interaction/own/own-commands.js";
import { createScenarioReplay } from "./etcd-raft/interaction/replay.js";
import { findTexts, type Replay, replayFile } from "./replay-file.js";
import type { Report } from "./report.js";

/** Begins one of our own scenarios. */
export function beginScenario(directives: readonly Directive[]): Replay {
  return createScenarioReplay(directives, createOwnCommands());
}

/** Replays our own scenarios of the Raft core; every directive must print the very same text. */
export async function run(dir: string, report: Report): Promise<void> {
  const files = await findTexts(dir, ["."]);
  if (files.length === 0) report.failed("octopii", `no .txt files in ${dir}`);
  for (const file of files) replayFile(basename(file), await readFile(file, "utf8"), beginScenario, report);
}

/** Writes what the scenarios print into their files. Whoever does so reviews every changed line: it becomes what is right. */
export async function rewrite(dir: string): Promise<void> {
  for (const file of await findTexts(dir, ["."])) await writeFile(file, rewritten(await readFile(file, "utf8")));
}

/** A scenario with what its directives print now in the place of what they should have printed. */
export function rewritten(text: string): string {
  const directives = parseDirectives(text);
  const replay = beginScenario(directives);
  const lines = text.split("\n");
  const parts: string[] = [];
  let at = 0;
  for (const directive of directives) {
    parts.push(...lines.slice(at, directive.outputLine - 1), replay(directive));
    at = directive.outputLine - 1 + (directive.expected === "" ? 0 : directive.expected.split("\n").length);
  }
  return [...parts, ...lines.slice(at)].join("\n");
}
