import type { Mutation } from "./workbench.js";

const tests = ["core", "property/membership"];

/** Mistakes about who belongs to the group. */
export const membershipMutations: readonly Mutation[] = [
  {
    name: "commit by the incoming half alone",
    file: "quorum/joint.ts",
    find: "return Math.min(incoming, outgoing);",
    replace: "return incoming;",
    tests: ["quorum", "property/membership"],
  },
  {
    name: "wait for a change that another leader has cut from the log",
    file: "core/following.ts",
    find: "raft.changesAhead = raft.changesAhead.filter((ahead) => ahead < index);",
    replace: "",
    tests: ["core"],
  },
  {
    name: "elect by the incoming half alone",
    file: "quorum/joint.ts",
    find: 'if (votersOutgoing.length === 0 || incoming === "lost") return incoming;',
    replace: "if (votersOutgoing.length >= 0) return incoming;",
    tests: ["quorum", "property/membership"],
  },
  {
    name: "count learners towards the commit",
    file: "core/replica.ts",
    find: "quorumMatchIndex(): Index {\n    return jointCommittedIndex(this.configuration.voters,",
    replace: "quorumMatchIndex(): Index {\n    return jointCommittedIndex([...this.configuration.voters, ...this.configuration.learners],",
    tests,
  },
  {
    name: "count learners' votes",
    file: "core/replica.ts",
    find: "return jointVoteResult(this.configuration.voters,",
    replace: "return jointVoteResult([...this.configuration.voters, ...this.configuration.learners],",
    tests,
  },
  {
    name: "a change takes effect when it is appended",
    file: "core/raft-core.ts",
    find: "    sendDue(raft);\n    confirmReadsOfStep(raft);",
    replace: `    applyConfigurations(raft, raft.log.handedOverIndex < raft.log.lastIndex
      ? raft.log.cached(raft.log.handedOverIndex + 1, raft.log.lastIndex, 1e9).filter(({ kind }) => kind === "configuration") : []);
    sendDue(raft);
    confirmReadsOfStep(raft);`,
    tests,
  },
  {
    name: "enter a joint configuration without its old half",
    file: "configuration/roster.ts",
    find: "for (const member of this.#members.values()) member.votesOutgoing = member.votes;",
    replace: "",
    tests: ["configuration", "property/membership"],
  },
  {
    name: "never leave a joint configuration",
    file: "core/membership.ts",
    find: "if (!configuration.autoLeave || role",
    replace: 'if (role !== "follower" || role',
    tests,
  },
  {
    name: "change several voters in one step",
    file: "configuration/changer.ts",
    find: "if (changed.length <= 1) return outcome;",
    replace: "return outcome;",
    tests: ["configuration"],
  },
  {
    name: "propose a change before the last one is applied",
    file: "core/proposing.ts",
    find: "(pendingChange(raft) ?? judgeChange(raft, request))",
    replace: "judgeChange(raft, request)",
    tests,
  },
  {
    name: "a new leader knows nothing of pending changes",
    file: "core/replica.ts",
    find: "    this.pendingChangeIndex = this.log.lastIndex;\n",
    replace: "",
    tests,
  },
  {
    name: "campaign while a committed change is not applied",
    file: "core/election.ts",
    find: 'return hasUnappliedChange(raft) ? "unappliedChange" : null;',
    replace: "return null;",
    tests,
  },
  {
    name: "a removed leader keeps leading",
    file: "core/membership.ts",
    find: "if (raft.config.stepDownOnRemoval) raft.becomeFollower(raft.currentTerm, 0);",
    replace: "",
    tests,
  },
  {
    name: "leave a group without a quorum",
    file: "core/membership.ts",
    find: "if (!request.mustKeepQuorum ||",
    replace: "if (request !== undefined ||",
    tests: ["core", "node"],
  },
  {
    name: "keep the progress of a member that was removed and came back",
    file: "core/replica.ts",
    find: "for (const id of added) known.delete(id);",
    replace: "",
    tests,
  },
  {
    name: "describe a snapshot by the founders' configuration",
    file: "core/raft-core.ts",
    find: "{ index, term: log.termAt(index), configuration };",
    replace: "{ index, term: log.termAt(index), configuration: { ...configuration, learners: [] } };",
    tests,
  },
  {
    name: "refuse a snapshot that is older than the own membership",
    file: "core/following.ts",
    find: "if (!outcome.accepted) return ignored();",
    replace: "if (!outcome.accepted || !outcome.membership.progress.some(({ id }) => id === raft.id)) return ignored();",
    tests,
  },
  {
    name: "a snapshot's configuration is not taken over",
    file: "core/following.ts",
    find: "switchTo(raft, outcome.membership.configuration, snapshot.index, []);",
    replace: "",
    tests,
  },
  {
    name: "put off the check of the quorum by asking for a transfer",
    file: "core/transfer.ts",
    find: "raft.transferElapsedTicks = 0;",
    replace: "raft.transferElapsedTicks = raft.electionElapsedTicks = 0;",
    tests: ["core"],
  },
];
