import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import type { Directive } from "./data-driven.js";
import { createMembershipReplay } from "./etcd-raft/confchange.js";
import { createScenarioReplay } from "./etcd-raft/interaction/replay.js";
import { replayQuorum } from "./etcd-raft/quorum.js";
import { findTexts, type Replay, replayFile } from "./replay-file.js";
import type { Report } from "./report.js";

interface Part {
  readonly name: string;
  /** Where the files may be, below the given folder; the first that has any counts. */
  readonly folders: readonly string[];
  /** Begins one file, given all of it; state lasts from directive to directive within it. */
  readonly begin: (directives: readonly Directive[]) => Replay;
}

const parts: readonly Part[] = [
  { name: "quorum", folders: ["quorum/testdata", "quorum"], begin: () => replayQuorum },
  { name: "confchange", folders: ["confchange/testdata", "confchange"], begin: createMembershipReplay },
  { name: "interaction", folders: ["testdata", "interaction"], begin: createScenarioReplay },
];

/** Replays etcd-io/raft's own test data; every case must print the very same text. */
export async function run(dir: string, report: Report): Promise<void> {
  for (const part of parts) {
    const files = await findTexts(dir, part.folders);
    if (files.length === 0) report.failed(part.name, `no .txt files in ${part.folders.join(" or ")} below ${dir}`);
    for (const file of files) replayFile(`${part.name}/${basename(file)}`, await readFile(file, "utf8"), part.begin, report);
  }
}
