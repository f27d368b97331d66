import type { Mutation } from "./workbench.js";

const tests = ["property/reads", "core"];

/** Mistakes about reads and leases. */
export const readMutations: readonly Mutation[] = [
  {
    name: "read before the own term has committed",
    file: "core/read-index.ts",
    find: "if (log.termAt(log.committedIndex) !== raft.currentTerm) raft.reads.addEarly(from, id);\n  else if",
    replace: "if",
    tests,
  },
  {
    name: "confirm a read by an earlier round",
    file: "core/pending-reads.ts",
    find: "(this.#confirming[count] as PendingRead).round <= round) count++;",
    replace: "(this.#confirming[count] as PendingRead).round <= round + 1) count++;",
    tests,
  },
  {
    name: "confirm a read without anybody",
    file: "core/read-index.ts",
    find: "if (raft.isOnlyVoter || (lease",
    replace: 'if (raft.role === "leader" || (lease',
    tests,
  },
  {
    name: "trust the lease though somebody was told to campaign",
    file: "core/read-index.ts",
    find: "&& !raft.shieldGivenUp ",
    replace: "",
    tests,
  },
  {
    name: "a lease ignores how clocks differ",
    file: "core/lease.ts",
    find: "(electionTicks - 1) * (1 - clockDriftMax)",
    replace: "(electionTicks - 1)",
    tests,
  },
  {
    name: "a lease as long as the shield and more",
    file: "core/lease.ts",
    find: "(electionTicks - 1) *",
    replace: "(electionTicks + 1) *",
    tests,
  },
  {
    name: "reads wait for an answer that never comes",
    file: "core/pending-reads.ts",
    find: 'for (const id of this.#forwarded) ready.push({ id, index: null, refusal: "noLeader" });',
    replace: "",
    tests: ["core/check-quorum", "core/thesis-reads"],
  },
  {
    name: "take a round that was never begun for confirmed",
    file: "core/replication.ts",
    find: "&& message.readRound <= raft.reads.round",
    replace: "",
    tests: ["fuzz", "core"],
  },
  {
    name: "forget the leader that a lease rests on",
    file: "core/election.ts",
    find: "|| raft.leaderId === 0 || raft.config.leaseReads) return;",
    replace: "|| raft.leaderId === 0) return;",
    tests,
  },
  {
    name: "help a pre-candidate against the lease of an older term",
    file: "core/election.ts",
    find: "const granted = free && !shields && ",
    replace: "const granted = free && ",
    tests,
  },
  {
    name: "vote against the lease of an older term",
    file: "core/election.ts",
    find: "const granted = free && raft.olderShieldTicks === 0 && ",
    replace: "const granted = free && ",
    tests,
  },
  {
    name: "count a leader's silence from before its heartbeat was read",
    file: "core/raft-core.ts",
    find: "raft.electionElapsedTicks = -raft.ticksToCount;",
    replace: "raft.electionElapsedTicks = 0;",
    tests: ["node", ...tests],
  },
  {
    name: "confirm a read alone though the outgoing half votes too",
    file: "core/replica.ts",
    find: "return votersOutgoing.length === 0 || votersOutgoing.every((id) => id === this.id);",
    replace: "return true;",
    tests,
  },
  {
    name: "count reads that nobody waits for any more",
    file: "node/reads.ts",
    find: "this.#abandoned.push(id);",
    replace: "",
    tests: ["node/reads"],
  },
  {
    name: "take a leader that is busy for one that leads no more",
    file: "core/read-index.ts",
    find: 'if (raft.reads.isFull) return refuse(raft, from, requestId, "tooManyReads");',
    replace: 'if (raft.reads.isFull) return refuse(raft, from, requestId, "noLeader");',
    tests: ["node/reads"],
  },
];
