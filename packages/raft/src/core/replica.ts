import type { NodeId, Random } from "@octopii/interfaces";
import type { Configuration } from "../configuration/index.js";
import type { RaftLog } from "../log/raft-log.js";
import type { Message } from "../messages.js";
import type { RaftCoreConfig } from "../options.js";
import { jointCommittedIndex, jointVoteResult, type VoteResult } from "../quorum/index.js";
import type { DropReason, TraceSink } from "../trace.js";
import type { Entry, GroupId, HardState, Index, Role, Term } from "../types.js";
import type { FetchRequest, ReadReady } from "./input-output.js";
import { PendingReads } from "./pending-reads.js";
import { PendingWrites } from "./pending-writes.js";
import { Progress } from "./progress.js";

/** What a replica starts from, read back from storage by its driver. */
export interface ReplicaStart {
  readonly id: NodeId;
  readonly group: GroupId;
  readonly hardState: HardState;
  readonly configuration: Configuration;
  readonly log: RaftLog;
}

/**
 * The state of one replica, and the moves that every part of the protocol shares: changing role, sending, appending.
 * Elections, replication and reads are functions over it, each in its own file.
 */
export class Replica {
  readonly id: NodeId;
  readonly group: GroupId;
  readonly config: RaftCoreConfig;
  readonly log: RaftLog;
  readonly reads: PendingReads;
  readonly writes: PendingWrites = new PendingWrites();
  readonly #random: Random;
  readonly #trace: TraceSink | null;

  configuration: Configuration;
  role: Role = "follower";
  currentTerm: Term;
  votedFor: NodeId;
  leaderId: NodeId = 0;

  electionElapsedTicks = 0;
  heartbeatElapsedTicks = 0;
  electionTimeoutTicks = 0;
  /** Answers to the campaign under way. */
  readonly votes: Map<NodeId, boolean> = new Map();
  /** On a leader: every member's progress, ascending by id, ours included. */
  progress: Progress[] = [];
  readonly #progressById = new Map<NodeId, Progress>();
  /** On a leader that is handing over: to whom; otherwise 0. */
  transferTarget: NodeId = 0;
  uncommittedBytes = 0;

  /** Messages free to go in this step. */
  messages: Message[] = [];
  /** Messages that promise something which this step's write makes durable. */
  promises: Message[] = [];
  fetches: FetchRequest[] = [];
  readyReads: ReadReady[] = [];

  constructor(start: ReplicaStart, config: RaftCoreConfig, random: Random, trace: TraceSink | null) {
    this.id = start.id;
    this.group = start.group;
    this.config = config;
    this.log = start.log;
    this.configuration = start.configuration;
    this.currentTerm = start.hardState.currentTerm;
    this.votedFor = start.hardState.votedFor;
    this.reads = new PendingReads(config.pendingReadsMax);
    this.#random = random;
    this.#trace = trace;
    this.resetElectionTimer();
  }

  get isVoter(): boolean {
    return this.configuration.voters.includes(this.id) || this.configuration.votersOutgoing.includes(this.id);
  }

  get isOnlyVoter(): boolean {
    const { voters, votersOutgoing } = this.configuration;
    return voters.length === 1 && voters[0] === this.id && votersOutgoing.length === 0;
  }

  progressOf(id: NodeId): Progress | undefined {
    return this.#progressById.get(id);
  }

  /** The highest value of `of` that a quorum, or both quorums of a joint configuration, has reached. */
  quorumIndex(of: (id: NodeId) => Index): Index {
    return jointCommittedIndex(this.configuration.voters, this.configuration.votersOutgoing, of);
  }

  quorumVote(of: (id: NodeId) => boolean | undefined): VoteResult {
    return jointVoteResult(this.configuration.voters, this.configuration.votersOutgoing, of);
  }

  resetElectionTimer(): void {
    this.electionElapsedTicks = 0;
    const ticks = this.config.electionTicks;
    this.electionTimeoutTicks = ticks + (this.#random.uint32() % ticks);
  }

  becomeFollower(term: Term, leaderId: NodeId): void {
    const changed = this.role !== "follower" || this.currentTerm !== term || this.leaderId !== leaderId;
    this.#reset(term);
    this.role = "follower";
    this.leaderId = leaderId;
    if (changed) this.#traceRole();
  }

  becomePreCandidate(): void {
    this.votes.clear();
    this.reads.refuseAll(this.readyReads);
    this.role = "preCandidate";
    this.leaderId = 0;
    this.#traceRole();
  }

  becomeCandidate(): void {
    this.#reset(this.currentTerm + 1);
    this.role = "candidate";
    this.votedFor = this.id;
    this.#traceRole();
    this.trace({ type: "vote", term: this.currentTerm, candidate: this.id });
  }

  becomeLeader(): void {
    this.#reset(this.currentTerm);
    this.role = "leader";
    this.leaderId = this.id;
    this.#startProgress();
    this.#traceRole();
  }

  /** Appends to our own log; durable after the write of this step. */
  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) this.log.append(entry);
    this.trace({ type: "append", entries });
  }

  commitTo(index: Index): boolean {
    if (!this.log.commitTo(index)) return false;
    this.trace({ type: "commit", index, term: this.log.termAt(index) });
    return true;
  }

  drop(message: Message, reason: DropReason): void {
    this.trace({ type: "drop", message: message.type, from: message.from, reason });
  }

  trace(event: Parameters<TraceSink>[0]): void {
    if (this.#trace !== null) this.#trace(event);
  }

  #traceRole(): void {
    this.trace({ type: "role", role: this.role, term: this.currentTerm, leaderId: this.leaderId });
  }

  #reset(term: Term): void {
    if (this.currentTerm !== term) {
      this.currentTerm = term;
      this.votedFor = 0;
    }
    this.leaderId = 0;
    this.heartbeatElapsedTicks = 0;
    this.transferTarget = 0;
    this.uncommittedBytes = 0;
    this.votes.clear();
    this.progress = [];
    this.#progressById.clear();
    this.reads.refuseAll(this.readyReads);
    this.resetElectionTimer();
  }

  #startProgress(): void {
    const { voters, votersOutgoing, learners, learnersNext } = this.configuration;
    const ids = [...new Set([...voters, ...votersOutgoing, ...learners, ...learnersNext])].sort((a, b) => a - b);
    for (const id of ids) {
      const own = id === this.id;
      const matchIndex = own ? this.log.durableIndex : 0;
      const { inflightCountMax, inflightBytesMax } = this.config;
      const progress = new Progress(id, matchIndex, this.log.lastIndex + 1, inflightCountMax, inflightBytesMax);
      // The first check of the quorum comes an election timeout from now: whoever is silent until then is gone.
      progress.recentlyActive = own;
      if (own) progress.state = "replicate";
      this.progress.push(progress);
      this.#progressById.set(id, progress);
    }
  }
}
