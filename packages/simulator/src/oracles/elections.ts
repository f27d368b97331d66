import type { NodeId } from "@octopii/interfaces";
import type { Configuration, Role, Term, TraceEvent } from "@octopii/raft";
import { show } from "./configuration-history.js";
import type { GroupHistory } from "./group-history.js";
import type { ObservedReplica } from "./observed-replica.js";
import { isQuorum } from "./quorum.js";
import { OracleViolation } from "./violation.js";

type VoteEvent = TraceEvent & { readonly type: "vote" };

interface Election {
  /** Who voted for whom in this term, as they said when they did. */
  readonly votes: Map<NodeId, NodeId>;
  leader: NodeId;
  /** What the leader was in when it won. */
  configuration: Configuration | null;
}

/** Every election of a group: who voted for whom, and who won. */
export class Elections {
  readonly #history: GroupHistory;
  readonly #elections = new Map<Term, Election>();

  constructor(history: GroupHistory) {
    this.#history = history;
  }

  /** 0 for nobody. */
  leaderOf(term: Term): NodeId {
    return this.#elections.get(term)?.leader ?? 0;
  }

  /** The latest term that `node` has led; 0 for none. */
  latestTermLedBy(node: NodeId): Term {
    let latest = 0;
    for (const [term, { leader }] of this.#elections) if (leader === node && term > latest) latest = term;
    return latest;
  }

  role(replica: ObservedReplica, role: Role, term: Term, leaderId: NodeId): void {
    if (term < replica.currentTerm)
      throw new OracleViolation("term", `node ${replica.id} went back from term ${replica.currentTerm} to ${term}`);
    if (term > replica.currentTerm) replica.votedFor = 0;
    replica.role = role;
    replica.currentTerm = term;
    if (role === "candidate") {
      this.campaign(replica);
      this.#vote(replica, term, replica.id);
    }
    if (role === "leader") this.#won(replica);
    this.followed(replica, term, leaderId);
  }

  /** Who knows that a change is committed must not stand before it is in effect: its quorum would be that of yesterday. RULE 6. */
  campaign({ id, commitIndex, taken }: ObservedReplica): void {
    const { index } = this.#history.configurations.at(commitIndex);
    if (index > taken.index)
      throw new OracleViolation(
        "campaign",
        `node ${id} campaigns in the configuration of ${taken.index}, though it knows that the change at ${index} is committed`,
      );
  }

  ballot(replica: ObservedReplica, { ballot, granted, term, candidate, lastLogIndex, lastLogTerm }: VoteEvent): void {
    if (!granted) return;
    const { id, log } = replica;
    const isUpToDate = lastLogTerm > log.lastTerm || (lastLogTerm === log.lastTerm && lastLogIndex >= log.lastIndex);
    if (!isUpToDate)
      throw new OracleViolation(
        "vote",
        `node ${id}, whose log ends at ${log.lastIndex} of term ${log.lastTerm}, voted for node ${candidate}, whose log ends at ${lastLogIndex} of term ${lastLogTerm}`,
      );
    if (ballot === "vote") this.#vote(replica, term, candidate);
  }

  /** `voter` is in `term` at least, and voted for `candidate`. */
  #vote(voter: ObservedReplica, term: Term, candidate: NodeId): void {
    if (term < voter.currentTerm)
      throw new OracleViolation("term", `node ${voter.id} voted in term ${term} after term ${voter.currentTerm}`);
    if (term === voter.currentTerm && voter.votedFor !== 0 && voter.votedFor !== candidate)
      throw new OracleViolation("vote", `node ${voter.id} voted for ${voter.votedFor} and ${candidate} in term ${term}`);
    voter.currentTerm = term;
    voter.votedFor = candidate;
    this.#electionOf(term).votes.set(voter.id, candidate);
  }

  /** Election safety and leader completeness. Source: Raft figure 3, §5.4. */
  #won(replica: ObservedReplica): void {
    const { id, currentTerm: term, log } = replica;
    const { configuration } = replica.taken;
    const election = this.#electionOf(term);
    if (election.leader !== 0 && election.leader !== id)
      throw new OracleViolation("election safety", `nodes ${election.leader} and ${id} both lead term ${term}`);
    election.leader = id;
    election.configuration = configuration;
    this.#checkQuorum(term, election);
    // What later terms have committed says nothing of this one: a candidate that was paused may win its old election long after.
    const index = this.#history.committedBefore(term);
    if (!log.holds(index, this.#history.committedHash(index) as number))
      throw new OracleViolation("leader completeness", `node ${id} leads term ${term} without the committed entry ${index}`);
  }

  /** `replica` follows `leader`. */
  followed(replica: ObservedReplica, term: Term, leader: NodeId): void {
    if (leader !== 0 && this.leaderOf(term) !== leader)
      throw new OracleViolation(
        "election safety",
        `node ${replica.id} follows node ${leader} in term ${term}, which has not won that election`,
      );
  }

  /**
   * A process died as `before`, and another wakes up with what the disk has kept. A vote may be gone that nobody was told of: but then those
   * that are left must have sufficed.
   */
  wokeUp(before: ObservedReplica, currentTerm: Term, votedFor: NodeId): void {
    const { id } = before;
    if (currentTerm < before.currentTerm && this.leaderOf(before.currentTerm) === id)
      throw new OracleViolation("term", `node ${id} led term ${before.currentTerm} and woke up in term ${currentTerm}`);
    for (let term = currentTerm; term <= before.currentTerm; term++) {
      const election = this.#elections.get(term);
      if (election === undefined || (term === currentTerm && election.votes.get(id) === votedFor)) continue;
      if (election.votes.delete(id) && election.leader !== 0) this.#checkQuorum(term, election);
    }
  }

  #checkQuorum(term: Term, { votes, leader, configuration }: Election): void {
    if (configuration === null || isQuorum(configuration, (voter) => votes.get(voter) === leader)) return;
    const given = [...votes].filter(([, candidate]) => candidate === leader).map(([voter]) => voter);
    const what = `the votes of ${given.join(", ")} are no quorum of ${show(configuration)}`;
    throw new OracleViolation("election quorum", `node ${leader} leads term ${term}, but ${what}`);
  }

  #electionOf(term: Term): Election {
    let election = this.#elections.get(term);
    if (election === undefined) {
      election = { votes: new Map(), leader: 0, configuration: null };
      this.#elections.set(term, election);
    }
    return election;
  }
}
