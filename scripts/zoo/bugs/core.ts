import type { Bug, Patch } from "../bug.js";

const bug = (name: string, file: string, find: string, replace: string, profile?: string): Bug => {
  const patch: Patch = { file: `core/src/${file}`, find, replace };
  return { name, home: "core", patches: [patch], ...(profile !== undefined && { profile }) };
};

/** Mistakes in @octopii/core: its adapters, state machine, snapshots and calls. */
export const coreBugs: readonly Bug[] = [
  bug(
    "lose the hard state of a write that has entries",
    "adapters/walrus-log-storage.ts",
    "    if (hardState !== null) operations.push(...this.#supersede(hardStateTopic(group), encodeHardState(hardState)));\n    await this.#wal.appendBatch(operations);\n  }\n\n  async read(",
    "    if (hardState !== null && first === undefined) operations.push(...this.#supersede(hardStateTopic(group), encodeHardState(hardState)));\n    await this.#wal.appendBatch(operations);\n  }\n\n  async read(",
  ),
  bug(
    "keep what follows a snapshot in the log",
    "adapters/walrus-log-storage.ts",
    "{ topic, truncateBack: first }, { topic, truncateFront: index + 1 }",
    "{ topic, truncateFront: index + 1 }",
  ),
  bug(
    "compact without a base",
    "adapters/walrus-log-storage.ts",
    "await this.#wal.appendBatch([...base, compacted, ...this.#forgetOldHardStates(group)]);",
    "void base; await this.#wal.appendBatch([compacted, ...this.#forgetOldHardStates(group)]);",
  ),
  bug(
    "read the oldest of the hard states",
    "adapters/walrus-log-storage.ts",
    "const [record] = await this.#wal.read(topic, next - 1, { maxEntries: 1 });",
    "const [record] = await this.#wal.read(topic, first, { maxEntries: 1 });",
  ),
  bug(
    "forget the last entry at a restart",
    "adapters/walrus-log-storage.ts",
    "return { hardState, compactedIndex: first - 1, lastIndex: next - 1, terms };",
    "return { hardState, compactedIndex: first - 1, lastIndex: Math.max(first - 1, Math.min(next - 1, Math.max(hardState?.commitIndex ?? 0, next - 2))), terms };",
  ),
  bug(
    "name a snapshot before it is flushed",
    "adapters/snapshot-writer.ts",
    "      await this.#file.sync();\n      await this.#file.close();",
    "      await this.#file.close();",
  ),
  bug("never let go of a peer's place for snapshots", "adapters/snapshot-streams.ts", "      this.#forget(nodeId);\n", ""),
  bug("restore a snapshot over the old state", "state-machine/key-value-store.ts", "      values.clear();\n", ""),
  bug(
    "take a snapshot of a moving state",
    "state-machine/key-value-store.ts",
    "snapshotChunks([...values])",
    "snapshotChunks(values as never)",
  ),
  bug(
    "lose the addresses in a snapshot",
    "state-machine/replicated.ts",
    "await book.restore(reader);",
    "await new (book.constructor as new (members: never[]) => AddressBook)([]).restore(reader);",
  ),
  bug(
    "repeat a proposal whose outcome is open",
    "service/error-mapping.ts",
    '(harmless || error.outcome === "failed")',
    "(harmless || error.outcome !== undefined)",
  ),
  bug(
    "answer a query from the own state",
    "node.ts",
    'if (consistency === "stale") this.#expectRunning();',
    "if (consistency !== undefined) this.#expectRunning();",
  ),
  bug(
    "call an open outcome a failure",
    "service/error-mapping.ts",
    "error.message, { outcome: error.outcome, cause: error, details: error.details }",
    'error.message, { outcome: "failed", cause: error, details: error.details }',
  ),
  bug(
    "record no log in the directory",
    "node.ts",
    "new WalrusLogStorage(wal, () => directory.record(wal.status().logId))",
    "new WalrusLogStorage(wal)",
    "disks",
  ),
  bug(
    "take another node's directory",
    "data-directory.ts",
    "if (cluster !== user.cluster || nodeId !== user.nodeId) {",
    "if (cluster !== user.cluster) {",
  ),
  bug("dial a peer once and never again", "peers/backoff.ts", "      this.#timer = null;\n    });", "    });"),
  bug(
    "let a delete report the opposite",
    "state-machine/key-value-store.ts",
    "values.delete(request.key) ? 1 : 0",
    "values.delete(request.key) ? 0 : 1",
    "calm",
  ),
];
