import type { NodeEvent } from "@octopii/core";
import type { Entry, HardState, Role, TermRun } from "@octopii/raft";
import { chainHash } from "./entry-hash.js";
import { OracleViolation } from "./violation.js";

/** One node's log as its own events tell it. */
interface ObservedLog {
  /** Terms by index; index 0 is the empty log's. */
  terms: number[];
  /** Chain hashes by index. */
  hashes: number[];
  role: Role;
  currentTerm: number;
  votedFor: number;
  commitIndex: number;
  appliedIndex: number;
}

/**
 * Watches what all replicas of one group say of themselves, and fails at the first event that breaks a promise of Raft (figure 3 of
 * the paper). Each event costs O(1), however long the run: logs are compared by chain hashes, not entry by entry.
 */
export class RaftOracle {
  readonly #logs = new Map<number, ObservedLog>();
  readonly #leaderOfTerm = new Map<number, number>();
  /** Chain hash by `index/term`: log matching says that there is only one. */
  readonly #hashOf = new Map<string, number>([["0/0", 0]]);
  /** Chain hash of every committed entry, by index. */
  readonly #committed: number[] = [0];
  /** The term in which each entry was first known to be committed, by index; it never falls. */
  readonly #committedInTerm: number[] = [0];
  /** Chain hash of every applied entry, by index. */
  readonly #applied: number[] = [0];

  /** The highest index that any node has committed. */
  get committedIndex(): number {
    return this.#committed.length - 1;
  }

  observe(node: number, event: NodeEvent): void {
    switch (event.type) {
      case "restore":
        return this.#onRestore(node, event.hardState, event.lastIndex, event.terms);
      case "append":
        for (const entry of event.entries) this.#onAppend(node, entry);
        return;
      case "truncate":
        return this.#onTruncate(node, event.index);
      case "role":
        return this.#onRole(node, event.role, event.term);
      case "vote":
        return this.#onVote(node, event.term, event.candidate);
      case "commit":
        return this.#onCommit(node, event.index);
      case "applied":
        return this.#onApplied(node, event.entry);
      case "drop":
      case "stopped":
        return;
    }
  }

  /** A restarted node has what was durable: entries that others, or it itself, made known before. */
  #onRestore(node: number, hardState: HardState, lastIndex: number, runs: readonly TermRun[]): void {
    const before = this.#logs.get(node);
    const log: ObservedLog = { terms: [0], hashes: [0], role: "follower", ...hardState, commitIndex: 0, appliedIndex: 0 };
    for (let index = 1, run = 0; index <= lastIndex; index++) {
      while ((runs[run + 1]?.firstIndex ?? Number.POSITIVE_INFINITY) <= index) run++;
      const term = runs[run]?.term ?? 0;
      const hash = this.#hashOf.get(`${index}/${term}`);
      if (hash === undefined)
        throw new OracleViolation("phantom", `node ${node} woke up with entry ${index} of term ${term}, which nobody ever appended`);
      log.terms.push(term);
      log.hashes.push(hash);
    }
    // Its own vote had to be durable before it could lead.
    if (before !== undefined && hardState.currentTerm < before.currentTerm && this.#leaderOfTerm.get(before.currentTerm) === node) {
      throw new OracleViolation("term", `node ${node} led term ${before.currentTerm} and woke up in term ${hardState.currentTerm}`);
    }
    this.#logs.set(node, log);
  }

  #onAppend(node: number, entry: Entry): void {
    const log = this.#logOf(node);
    if (entry.index !== log.terms.length) {
      throw new OracleViolation("log", `node ${node} appended entry ${entry.index} after ${log.terms.length - 1}`);
    }
    const hash = chainHash(log.hashes[entry.index - 1] as number, entry);
    const key = `${entry.index}/${entry.term}`;
    const known = this.#hashOf.get(key);
    if (known === undefined) this.#hashOf.set(key, hash);
    else if (known !== hash) {
      throw new OracleViolation(
        "log matching",
        `two logs hold different entries up to ${entry.index} of term ${entry.term}; node ${node} has one of them`,
      );
    }
    log.terms.push(entry.term);
    log.hashes.push(hash);
  }

  #onTruncate(node: number, index: number): void {
    const log = this.#logOf(node);
    if (index <= log.commitIndex)
      throw new OracleViolation("commit", `node ${node} removed entry ${index}, though it had committed ${log.commitIndex}`);
    // Its own commit index may be behind, after a restart above all; what the cluster has committed counts.
    if (this.#committed[index] !== undefined && log.hashes[index] === this.#committed[index]) {
      throw new OracleViolation("commit", `node ${node} removed entry ${index}, which the cluster has committed`);
    }
    if (log.role === "leader") {
      throw new OracleViolation("leader append-only", `node ${node} removed entry ${index} while it led term ${log.currentTerm}`);
    }
    log.terms.length = index;
    log.hashes.length = index;
  }

  #onRole(node: number, role: Role, term: number): void {
    const log = this.#logOf(node);
    if (term < log.currentTerm) throw new OracleViolation("term", `node ${node} went back from term ${log.currentTerm} to ${term}`);
    if (term > log.currentTerm) log.votedFor = 0;
    log.role = role;
    log.currentTerm = term;
    if (role === "leader") this.#onLeader(node, log, term);
  }

  #onLeader(node: number, log: ObservedLog, term: number): void {
    const other = this.#leaderOfTerm.get(term);
    if (other !== undefined && other !== node)
      throw new OracleViolation("election safety", `nodes ${other} and ${node} both lead term ${term}`);
    this.#leaderOfTerm.set(term, node);
    // What later terms have committed says nothing of this one: a candidate that was paused may win its old election long after.
    let index = this.committedIndex;
    while ((this.#committedInTerm[index] as number) >= term) index--;
    if (log.hashes[index] !== this.#committed[index]) {
      throw new OracleViolation("leader completeness", `node ${node} leads term ${term} without the committed entry ${index}`);
    }
  }

  #onVote(node: number, term: number, candidate: number): void {
    const log = this.#logOf(node);
    if (term < log.currentTerm) throw new OracleViolation("term", `node ${node} voted in term ${term} after term ${log.currentTerm}`);
    if (term === log.currentTerm && log.votedFor !== 0 && log.votedFor !== candidate) {
      throw new OracleViolation("vote", `node ${node} voted for ${log.votedFor} and ${candidate} in term ${term}`);
    }
    log.currentTerm = term;
    log.votedFor = candidate;
  }

  #onCommit(node: number, index: number): void {
    const log = this.#logOf(node);
    if (index < log.commitIndex)
      throw new OracleViolation("commit", `node ${node} moved its commit index back from ${log.commitIndex} to ${index}`);
    for (let i = Math.max(log.commitIndex, 0) + 1; i <= index; i++) {
      const hash = log.hashes[i];
      if (hash === undefined) throw new OracleViolation("commit", `node ${node} committed entry ${i}, which it does not have`);
      if (this.#committed[i] === undefined) {
        this.#committed[i] = hash;
        this.#committedInTerm[i] = log.currentTerm;
      } else if (this.#committed[i] !== hash)
        throw new OracleViolation("commit", `node ${node} committed another entry ${i} than was committed before`);
    }
    log.commitIndex = index;
  }

  #onApplied(node: number, entry: Entry): void {
    const log = this.#logOf(node);
    if (entry.index !== log.appliedIndex + 1) {
      throw new OracleViolation("apply", `node ${node} applied entry ${entry.index} after ${log.appliedIndex}`);
    }
    log.appliedIndex = entry.index;
    const hash = chainHash(this.#applied[entry.index - 1] as number, entry);
    if (this.#applied[entry.index] === undefined) this.#applied[entry.index] = hash;
    else if (this.#applied[entry.index] !== hash) {
      throw new OracleViolation("state-machine safety", `node ${node} applied another entry ${entry.index} than was applied before`);
    }
    if (this.#committed[entry.index] === undefined)
      throw new OracleViolation("apply", `node ${node} applied entry ${entry.index} before anybody committed it`);
  }

  #logOf(node: number): ObservedLog {
    const log = this.#logs.get(node);
    if (log === undefined) throw new OracleViolation("log", `node ${node} spoke before it was restored`);
    return log;
  }
}
