import type { NodeId } from "@octopii/interfaces";
import type { Configuration, Entry, Index } from "@octopii/raft";
import type { Elections } from "./elections.js";
import type { GroupHistory } from "./group-history.js";
import type { ObservedReplica } from "./observed-replica.js";
import { isQuorum } from "./quorum.js";
import { OracleViolation } from "./violation.js";

/** What must hold of a replica's log, and of how far it commits and applies it. Source: Raft figure 3. */
export class LogRules {
  readonly #history: GroupHistory;
  readonly #elections: Elections;
  readonly #replicas: ReadonlyMap<NodeId, ObservedReplica>;

  constructor(history: GroupHistory, elections: Elections, replicas: ReadonlyMap<NodeId, ObservedReplica>) {
    this.#history = history;
    this.#elections = elections;
    this.#replicas = replicas;
  }

  append(replica: ObservedReplica, entry: Entry): void {
    const { id, log } = replica;
    const { index, term } = entry;
    if (index !== log.lastIndex + 1) throw new OracleViolation("log", `node ${id} appended entry ${index} after ${log.lastIndex}`);
    const { hash, isNew } = this.#history.append(id, log.hashAt(log.lastIndex) as number, entry);
    if (isNew && this.#elections.leaderOf(term) !== id)
      throw new OracleViolation(
        "log",
        `node ${id} made up entry ${index} of term ${term}, which node ${this.#elections.leaderOf(term)} leads`,
      );
    log.append(term, hash);
  }

  truncate({ id, log, role, commitIndex, currentTerm }: ObservedReplica, index: Index): void {
    if (index <= commitIndex)
      throw new OracleViolation("commit", `node ${id} removed entry ${index}, though it had committed ${commitIndex}`);
    const hash = log.hashAt(index);
    // Its own commit index may be behind, after a restart above all; what the cluster has committed counts.
    if (hash !== undefined && hash === this.#history.committedHash(index))
      throw new OracleViolation("commit", `node ${id} removed entry ${index}, which the cluster has committed`);
    if (role === "leader")
      throw new OracleViolation("leader append-only", `node ${id} removed entry ${index} while it led term ${currentTerm}`);
    log.truncate(index);
  }

  commit(replica: ObservedReplica, index: Index): void {
    const { id, log, commitIndex } = replica;
    if (index <= commitIndex) throw new OracleViolation("commit", `node ${id} moved its commit index back from ${commitIndex} to ${index}`);
    const hash = log.hashAt(index);
    if (hash === undefined) throw new OracleViolation("commit", `node ${id} committed entry ${index}, which it does not have`);
    // The hash of what both have speaks for all that is before.
    const common = Math.min(index, this.#history.committedIndex);
    if (!log.holds(common, this.#history.committedHash(common) as number))
      throw new OracleViolation("commit", `node ${id} committed another entry ${common} than was committed before`);
    if (replica.role === "leader") this.#count(replica, index, hash);
    else if (index > this.#history.committedIndex)
      throw new OracleViolation("commit", `node ${id} committed entry ${index}, which no leader has committed`);
    replica.commitIndex = index;
  }

  /** A leader commits what a quorum holds, and counts only entries of its own term. Source: Raft §5.4.2, figure 8. */
  #count({ id, log, currentTerm, taken }: ObservedReplica, index: Index, hash: number): void {
    const term = log.termAt(index);
    if (term !== currentTerm)
      throw new OracleViolation("commit", `node ${id} leads term ${currentTerm} and committed entry ${index} of term ${term} by counting`);
    this.#history.commit({ index, configuration: taken.configuration, leader: id }, currentTerm, (at) => log.hashAt(at) as number);
    const holds = (voter: NodeId): boolean => this.#replicas.get(voter)?.log.holds(index, hash) ?? false;
    if (!isQuorum(taken.configuration, holds))
      throw new OracleViolation("commit quorum", `node ${id} committed entry ${index}, which a quorum never held`);
  }

  apply(replica: ObservedReplica, entry: Entry): void {
    const { id, appliedIndex } = replica;
    if (entry.index !== appliedIndex + 1)
      throw new OracleViolation("apply", `node ${id} applied entry ${entry.index} after ${appliedIndex}`);
    this.#history.checkApplied(id, entry);
    replica.appliedIndex = entry.index;
  }

  /** Membership takes effect when applied, and is the same everywhere. RULE 6. */
  configure(replica: ObservedReplica, index: Index, configuration: Configuration): void {
    const { id, appliedIndex, log } = replica;
    // A snapshot's is in effect at once: what it stands for is committed, and the log begins after it.
    if (index > appliedIndex && index !== log.base)
      throw new OracleViolation("configuration", `node ${id} took the change at ${index} into effect when it had applied ${appliedIndex}`);
    replica.taken = this.#history.configurations.take(id, index, configuration);
  }
}
