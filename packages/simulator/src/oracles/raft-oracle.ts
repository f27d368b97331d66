import type { NodeEvent } from "@octopii/core";
import type { NodeId } from "@octopii/interfaces";
import type { Configuration, Entry, Index, Term, TraceEvent } from "@octopii/raft";
import type { TakenConfiguration } from "./configuration-history.js";
import { type DiskWitness, DurablePromises } from "./durable-promises.js";
import { Elections } from "./elections.js";
import { GroupHistory } from "./group-history.js";
import { LogRules } from "./log-rules.js";
import type { ObservedReplica } from "./observed-replica.js";
import { SnapshotRules } from "./snapshot-rules.js";
import { checkStoredLog, type StoredEntries } from "./stored-log-rules.js";
import { OracleViolation } from "./violation.js";
import { wakeUp } from "./wake-up.js";

type Of<Type extends TraceEvent["type"]> = TraceEvent & { readonly type: Type };

/** What honest replicas never say to each other, however late. */
const impossibleDrops: readonly string[] = ["notForUs", "malformed", "contradictsCommitted", "secondLeader"];

/**
 * Watches what all replicas of one group say of themselves, and fails at the first event that breaks a promise of Raft (figure 3 of
 * the paper, its sections on membership and compaction, and RULE 6). Each event costs O(1), however long the run: logs are compared by chain
 * hashes, not entry by entry.
 *
 * It hears what a replica appended. What reached its disk shows when a witness looks there as commits and elections are counted, and when the
 * process is killed: whatever was needed of it must be there when it wakes up.
 */
export class RaftOracle {
  readonly #history: GroupHistory;
  readonly #elections: Elections;
  readonly #log: LogRules;
  readonly #snapshots: SnapshotRules;
  readonly #replicas = new Map<NodeId, ObservedReplica>();

  readonly #promises: DurablePromises | null;

  /**
   * @param founding - the configuration that the founders were given.
   * @param witness - looks at the disks, where that is possible.
   */
  constructor(founding: Configuration, witness: DiskWitness | null = null) {
    this.#history = new GroupHistory(founding);
    this.#elections = new Elections(this.#history);
    this.#log = new LogRules(this.#history, this.#elections, this.#replicas);
    this.#snapshots = new SnapshotRules(this.#history);
    this.#promises = witness === null ? null : new DurablePromises(witness, this.#replicas);
  }

  /** The highest index that any node has committed. */
  get committedIndex(): Index {
    return this.#history.committedIndex;
  }

  /** What is in effect on whoever has applied most. */
  get configuration(): TakenConfiguration {
    return this.#history.configurations.latest;
  }

  /** Whether anything was heard of `node` yet. */
  knows(node: NodeId): boolean {
    return this.#replicas.has(node);
  }

  /**
   * Holds the files of a node that is not running against what it said it had written.
   * @param isComplete - it was closed in good order, and its disk has lost nothing. Otherwise the log may end early; what is there must be true.
   */
  checkStored(node: NodeId, stored: StoredEntries, isComplete: boolean): void {
    const replica = this.#replicas.get(node);
    if (replica !== undefined) checkStoredLog(replica, stored, this.#history, isComplete);
  }

  /** How often the configuration has changed. */
  get configurationChanges(): number {
    return this.#history.configurations.changes;
  }

  /** What was in effect at the index `since`, and whatever came after it. */
  configurationsSince(since: Index): readonly TakenConfiguration[] {
    return this.#history.configurations.since(since);
  }

  /** The latest term that `node` has led; 0 for none. */
  latestTermLedBy(node: NodeId): Term {
    return this.#elections.latestTermLedBy(node);
  }

  observe(node: NodeId, event: NodeEvent): void {
    if (event.type === "restore") {
      this.#replicas.set(node, wakeUp(node, event, this.#replicas, this.#history, this.#elections));
      return;
    }
    const replica = this.#replicas.get(node);
    if (replica === undefined) throw new OracleViolation("log", `node ${node} spoke before it was restored`);
    this.#dispatch(replica, event);
  }

  /** The node has read its disk: with a snapshot, its state is that of `appliedIndex` already. Must come before it says anything else. */
  started(node: NodeId, appliedIndex: Index): void {
    const replica = this.#replicas.get(node);
    if (replica !== undefined && appliedIndex > 0) this.#snapshots.begin(replica, appliedIndex);
  }

  #dispatch(replica: ObservedReplica, event: Exclude<NodeEvent, Of<"restore">>): void {
    switch (event.type) {
      case "append":
        for (const entry of event.entries) this.#append(replica, entry);
        return;
      case "truncate":
        return this.#log.truncate(replica, event.index);
      case "role":
        this.#elections.role(replica, event.role, event.term, event.leaderId);
        if (event.role === "leader") this.#promises?.elected(replica);
        return;
      case "leader":
        return this.#elections.followed(replica, event.term, event.leaderId);
      case "campaign":
        return this.#elections.campaign(replica);
      case "vote":
        return this.#elections.ballot(replica, event);
      case "commit":
        this.#log.commit(replica, event.index);
        if (replica.role === "leader") this.#promises?.committed(replica, event.index);
        return;
      case "applied":
        for (const entry of event.entries) this.#log.apply(replica, entry);
        return;
      case "configuration":
        return this.#log.configure(replica, event.index, event.configuration);
      case "snapshot":
        return this.#snapshots.pass(replica, event.phase, event.snapshot);
      case "restored":
        return this.#snapshots.restore(replica, event.snapshot);
      case "compact":
        return this.#snapshots.compact(replica, event.index);
      case "drop":
        if (impossibleDrops.includes(event.reason))
          throw new OracleViolation(
            "message",
            `node ${replica.id} was sent what no honest node sends (${event.reason}): ${JSON.stringify(event.message)}`,
          );
        return;
      default:
        return;
    }
  }

  #append(replica: ObservedReplica, entry: Entry): void {
    this.#log.append(replica, entry);
    this.#promises?.appended(entry);
  }
}
