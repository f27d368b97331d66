import type { Index, SnapshotMetadata, TraceEvent } from "@octopii/raft";
import type { GroupHistory } from "./group-history.js";
import type { ObservedReplica } from "./observed-replica.js";
import { OracleViolation } from "./violation.js";

type Phase = (TraceEvent & { readonly type: "snapshot" })["phase"];

/** What must hold of snapshots, and of what they take the place of. Source: Raft §7. */
export class SnapshotRules {
  readonly #history: GroupHistory;

  constructor(history: GroupHistory) {
    this.#history = history;
  }

  pass(replica: ObservedReplica, phase: Phase, snapshot: SnapshotMetadata): void {
    const { id, log, commitIndex, appliedIndex } = replica;
    const { index } = snapshot;
    if (phase === "ignored") return;
    const base = this.#history.checkSnapshot(id, snapshot);
    if (phase === "available") {
      if (index > appliedIndex)
        throw new OracleViolation("snapshot", `node ${id} took a snapshot of ${index} when it had applied ${appliedIndex}`);
      replica.snapshotIndex = Math.max(replica.snapshotIndex, index);
    }
    if (phase !== "restoring") return;
    if (index <= commitIndex)
      throw new OracleViolation(
        "snapshot",
        `node ${id} put a snapshot of ${index} in the place of its log, though it had committed ${commitIndex}`,
      );
    if (log.hashAt(index) === base.hash)
      throw new OracleViolation(
        "snapshot",
        `node ${id} gave up the entries after ${index} for a snapshot of that very index, which its log held`,
      );
    log.replaceBy(base);
    replica.commitIndex = index;
    replica.snapshotIndex = index;
  }

  restore(replica: ObservedReplica, { index }: SnapshotMetadata): void {
    const { id, appliedIndex, log } = replica;
    if (index <= appliedIndex || index > log.base)
      throw new OracleViolation(
        "apply",
        `node ${id} restored the state of ${index} when it had applied ${appliedIndex} and its log began after ${log.base}`,
      );
    replica.appliedIndex = index;
  }

  compact({ id, appliedIndex, snapshotIndex }: ObservedReplica, index: Index): void {
    if (index <= Math.min(appliedIndex, snapshotIndex)) return;
    throw new OracleViolation(
      "compaction",
      `node ${id} forgot its log up to ${index}, with ${appliedIndex} applied and a snapshot of ${snapshotIndex}`,
    );
  }

  /** A process began with the state of `appliedIndex`, by a snapshot. */
  begin(replica: ObservedReplica, appliedIndex: Index): void {
    const hash = replica.log.hashAt(appliedIndex);
    if (hash === undefined || hash !== this.#history.committedHash(appliedIndex))
      throw new OracleViolation(
        "snapshot",
        `node ${replica.id} began with the state of ${appliedIndex}, which is no committed entry of its log`,
      );
    replica.appliedIndex = appliedIndex;
    replica.snapshotIndex = appliedIndex;
    replica.commitIndex = Math.max(replica.commitIndex, appliedIndex);
    replica.taken = this.#history.configurations.at(appliedIndex);
  }
}
