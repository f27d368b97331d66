import type { Entry, Index } from "@octopii/raft";
import { chainHash } from "./entry-hash.js";
import type { GroupHistory } from "./group-history.js";
import type { ObservedReplica } from "./observed-replica.js";
import { OracleViolation } from "./violation.js";

/** What a log's files hold. */
export interface StoredEntries {
  /** The entry before the first. */
  readonly compactedIndex: Index;
  readonly lastIndex: Index;
  readonly entries: readonly Entry[];
}

/** A log's files hold what their node said it had written: every entry, as it was. */
export function checkStoredLog(replica: ObservedReplica, stored: StoredEntries, history: GroupHistory, isComplete: boolean): void {
  const { id, log } = replica;
  const { compactedIndex, lastIndex, entries } = stored;
  if (isComplete && lastIndex !== log.lastIndex)
    throw new OracleViolation("stored log", `the files of node ${id} end at entry ${lastIndex}, and it said ${log.lastIndex}`);
  let hash = compactedIndex === 0 ? 0 : (log.hashAt(compactedIndex) ?? history.committedHash(compactedIndex));
  for (const entry of entries) {
    if (hash === undefined) return;
    hash = chainHash(hash, entry);
    const known = history.hashOf(entry.index, entry.term);
    if (known !== hash) throw new OracleViolation("stored log", `the files of node ${id} hold an entry ${entry.index} that nobody wrote`);
    if (isComplete && log.hashAt(entry.index) !== undefined && !log.holds(entry.index, hash))
      throw new OracleViolation("stored log", `the files of node ${id} hold another entry ${entry.index} than it said`);
  }
}
