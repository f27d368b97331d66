import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { type Directive, parseDirectives } from "./data-driven.js";
import { createMembershipReplay } from "./etcd-raft/confchange.js";
import { replayQuorum } from "./etcd-raft/quorum.js";
import type { Report } from "./report.js";

/** Carries out one directive and gives what it prints. Throws for a directive that is not understood. */
type Replay = (directive: Directive) => string;

interface Part {
  readonly name: string;
  /** Where the files may be, below the given folder; the first that has any counts. */
  readonly folders: readonly string[];
  /** Begins one file; state lasts from directive to directive within it. */
  readonly begin: () => Replay;
}

const parts: readonly Part[] = [
  { name: "quorum", folders: ["quorum/testdata", "quorum"], begin: () => replayQuorum },
  { name: "confchange", folders: ["confchange/testdata", "confchange"], begin: createMembershipReplay },
];

const interactionFolders: readonly string[] = ["testdata", "interaction"];

/** Replays etcd-io/raft's own test data; every case must print the very same text. */
export async function run(dir: string, report: Report): Promise<void> {
  for (const part of parts) {
    const files = await findFiles(dir, part.folders);
    if (files.length === 0) report.failed(part.name, `no .txt files in ${part.folders.join(" or ")} below ${dir}`);
    for (const file of files) replayFile(`${part.name}/${basename(file)}`, await readFile(file, "utf8"), part.begin(), report);
  }
  const scenarios = await findFiles(dir, interactionFolders);
  if (scenarios.length > 0) report.note(`interaction: ${scenarios.length} scenarios not run yet`);
}

/** The `.txt` files of the first folder that has any, sorted. */
async function findFiles(dir: string, folders: readonly string[]): Promise<string[]> {
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

function replayFile(name: string, text: string, replay: Replay, report: Report): void {
  let directives: Directive[];
  try {
    directives = parseDirectives(text);
  } catch (error) {
    report.failed(name, String(error));
    return;
  }
  if (directives.length === 0) report.failed(name, "the file holds no cases");
  for (const directive of directives) {
    const actual = attempt(() => replay(directive));
    if (actual === directive.expected) report.passed();
    else report.failed(`${name}:${directive.line} ${directive.command}`, `expected:\n${directive.expected}\nbut got:\n${actual}`);
  }
}

function attempt(print: () => string): string {
  try {
    return print();
  } catch (error) {
    return String(error);
  }
}
