import type { NodeId, Random } from "@octopii/interfaces";
import { type Configuration, membersOf } from "../configuration/index.js";
import type { RaftLog } from "../log/raft-log.js";
import type { Message } from "../messages.js";
import type { RaftCoreConfig } from "../options.js";
import { jointCommittedIndex, jointVoteResult, type VoteResult } from "../quorum/index.js";
import type { DropReason, ProgressCause, TraceEvent, TraceSink } from "../trace.js";
import type { Entry, GroupId, HardState, Index, Role, SnapshotMetadata, Term } from "../types.js";
import type { FetchRequest, ReadReady } from "./input-output.js";
import { Lease } from "./lease.js";
import { PendingReads } from "./pending-reads.js";
import { PendingWrites } from "./pending-writes.js";
import { Progress, type SendDue } from "./progress.js";

/** What a replica starts from, read back from storage by its driver. */
export interface ReplicaStart {
  readonly id: NodeId;
  readonly group: GroupId;
  readonly hardState: HardState;
  readonly configuration: Configuration;
  readonly snapshot: SnapshotMetadata | null;
  readonly log: RaftLog;
}

/**
 * The state of one replica, and the moves that every part of the protocol shares: changing role, sending, appending.
 * Elections, replication, membership and reads are functions over it, each in its own file.
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
  /** The newest snapshot that followers can be sent. */
  snapshot: SnapshotMetadata | null;

  /** The step's clock, in ticks; null if its input tells no time. Only leases use it. */
  now: number | null = null;
  electionElapsedTicks = 0;
  heartbeatElapsedTicks = 0;
  /** Ticks of this step that are still to be counted: they passed before its messages were read. */
  ticksToCount = 0;
  electionTimeoutTicks = 0;
  /** For so many ticks more, a lease may rest on a shield that this node gave before it was restarted, or in an earlier term. */
  olderShieldTicks: number;
  /** Answers to the campaign under way. */
  readonly votes: Map<NodeId, boolean> = new Map();

  /** On a leader: every member's progress, ascending by id, ours included. */
  progress: Progress[] = [];
  readonly #progressById = new Map<NodeId, Progress>();
  /** On a leader that is handing over: to whom; otherwise 0. */
  transferTarget: NodeId = 0;
  /** How long the transfer under way has taken. Of its own: whoever asks for transfers must not put off the check of the quorum. */
  transferElapsedTicks = 0;
  /** Someone was told to campaign at once in this term: from then on voters need not shield us. */
  shieldGivenUp = false;
  /**
   * On a leader: what the entries after the applied index cost in memory, as far as the cache holds them. Entries stay in it until they are
   * committed, durable here, and applied, so a slow follower, disk or state machine all count.
   */
  unappliedBytes = 0;
  /** On a leader: no change may be proposed until this index is applied. */
  pendingChangeIndex: Index = 0;
  /** Indexes of configuration entries that this process saw appended and that are not applied yet, ascending. */
  changesAhead: Index[] = [];
  /** Entries up to here came from a restart, and may hold changes that `changesAhead` does not list. */
  readonly unseenUpTo: Index;

  /** Messages free to go in this step. */
  messages: Message[] = [];
  /** Messages that promise something which this step's write makes durable. */
  promises: Message[] = [];
  /** A commit index is due to somebody that goes with the entries of the next step, or then alone. */
  commitLingers = false;
  fetches: FetchRequest[] = [];
  readyReads: ReadReady[] = [];
  /** A snapshot that this step's write carries. */
  unwrittenSnapshot: SnapshotMetadata | null = null;

  readonly #matchIndexOf = (id: NodeId): Index => this.#progressById.get(id)?.matchIndex ?? 0;
  readonly #readRoundOf = (id: NodeId): number => this.#progressById.get(id)?.confirmedReadRound ?? 0;

  constructor(start: ReplicaStart, config: RaftCoreConfig, random: Random, trace: TraceSink | null) {
    this.id = start.id;
    this.group = start.group;
    this.config = config;
    this.log = start.log;
    this.configuration = start.configuration;
    this.snapshot = start.snapshot;
    this.currentTerm = start.hardState.currentTerm;
    this.votedFor = start.hardState.votedFor;
    this.reads = new PendingReads(config.pendingReadsMax, new Lease(config.electionTicks, config.clockDriftMax));
    this.unseenUpTo = start.log.lastIndex;
    // In term 0 as well: the answer to a heartbeat does not wait until the term is on disk.
    this.olderShieldTicks = config.leaseReads ? config.electionTicks : 0;
    this.#random = random;
    this.#trace = trace;
    this.resetElectionTimer();
  }

  get isVoter(): boolean {
    return this.configuration.voters.includes(this.id) || this.configuration.votersOutgoing.includes(this.id);
  }

  get isOnlyVoter(): boolean {
    const { voters, votersOutgoing } = this.configuration;
    if (voters.length !== 1 || voters[0] !== this.id) return false;
    return votersOutgoing.length === 0 || votersOutgoing.every((id) => id === this.id);
  }

  progressOf(id: NodeId): Progress | undefined {
    return this.#progressById.get(id);
  }

  isMember(id: NodeId): boolean {
    const { voters, votersOutgoing, learners } = this.configuration;
    return voters.includes(id) || votersOutgoing.includes(id) || learners.includes(id);
  }

  /** The highest index that a quorum, or both quorums of a joint configuration, holds. */
  quorumMatchIndex(): Index {
    return jointCommittedIndex(this.configuration.voters, this.configuration.votersOutgoing, this.#matchIndexOf);
  }

  /** The latest read round that a quorum has confirmed. */
  quorumReadRound(): number {
    return jointCommittedIndex(this.configuration.voters, this.configuration.votersOutgoing, this.#readRoundOf);
  }

  quorumVote(of: (id: NodeId) => boolean | undefined): VoteResult {
    return jointVoteResult(this.configuration.voters, this.configuration.votersOutgoing, of);
  }

  resetElectionTimer(): void {
    this.electionElapsedTicks = 0;
    const ticks = this.config.electionTicks;
    this.electionTimeoutTicks = ticks + (this.#random.uint32() % ticks) + this.config.electionDelayTicks;
  }

  becomeFollower(term: Term, leaderId: NodeId): void {
    this.#reset(term);
    this.role = "follower";
    this.leaderId = leaderId;
    this.#traceRole();
  }

  /** As a follower: someone leads our term, or, by 0, nobody that we would wait for. */
  follow(leaderId: NodeId): void {
    this.leaderId = leaderId;
    this.trace({ type: "leader", term: this.currentTerm, leaderId });
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
  }

  becomeLeader(): void {
    const electors = [...this.votes].filter(([, granted]) => granted).map(([id]) => id);
    this.#reset(this.currentTerm);
    this.role = "leader";
    this.leaderId = this.id;
    // A change may stand unapplied in what earlier leaders have left.
    this.pendingChangeIndex = this.log.lastIndex;
    this.unappliedBytes = this.log.bytesBetween(this.log.appliedIndex + 1, this.log.lastIndex);
    this.#traceRole();
    const { learners } = this.configuration;
    for (const id of membersOf(this.configuration)) this.#addProgress(id, learners.includes(id), this.log.lastIndex + 1);
    for (const id of electors) this.progressOf(id)?.heardOf();
    const own = this.progressOf(this.id);
    if (own === undefined) return;
    own.matchIndex = this.log.durableIndex;
    own.becomeReplicate();
    // The first check of the quorum comes an election timeout from now: whoever is silent until then is gone.
    own.recentlyActive = true;
  }

  /** Takes a configuration into effect. @param added - members whose progress begins anew. */
  configure(configuration: Configuration, index: Index, added: readonly NodeId[]): void {
    this.configuration = configuration;
    this.trace({ type: "configuration", index, configuration });
    if (this.role !== "leader") return;
    const known = new Map(this.#progressById);
    for (const id of added) known.delete(id);
    this.progress = [];
    this.#progressById.clear();
    for (const id of membersOf(configuration)) {
      const isLearner = configuration.learners.includes(id);
      const progress = known.get(id);
      if (progress === undefined) {
        // A check of the quorum that came before it could answer must not depose us.
        this.#addProgress(id, isLearner, Math.max(this.log.lastIndex, 1)).recentlyActive = true;
      } else {
        progress.isLearner = isLearner;
        this.progress.push(progress);
        this.#progressById.set(id, progress);
      }
    }
  }

  /** Appends to our own log; durable after the write of this step. */
  append(entries: readonly Entry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      this.log.append(entry);
      if (entry.kind === "configuration" || entry.kind === "founding") this.changesAhead.push(entry.index);
    }
    if (this.#trace !== null) this.#trace({ type: "append", entries });
  }

  commitTo(index: Index): boolean {
    if (!this.log.commitTo(index)) return false;
    if (this.#trace !== null) this.#trace({ type: "commit", index, term: this.log.termAt(index) });
    return true;
  }

  /** A message is due to the follower when the step ends. */
  wantSend(progress: Progress, due: SendDue): void {
    if (progress.due === "always" || (progress.due === "commit" && due === "entries")) return;
    progress.due = due === "commit" && this.config.eagerCommits ? "always" : due;
  }

  drop(message: Message, reason: DropReason): void {
    this.trace({ type: "drop", message, reason });
  }

  trace(event: TraceEvent): void {
    if (this.#trace !== null) this.#trace(event);
  }

  traceProgress(cause: ProgressCause, progress: Progress): void {
    if (this.#trace !== null) this.#trace({ type: "progress", cause, progress: progress.view() });
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
    this.shieldGivenUp = false;
    this.unappliedBytes = 0;
    this.pendingChangeIndex = 0;
    this.votes.clear();
    this.progress = [];
    this.#progressById.clear();
    this.reads.refuseAll(this.readyReads);
    this.resetElectionTimer();
  }

  #addProgress(id: NodeId, isLearner: boolean, nextIndex: Index): Progress {
    const { inflightCountMax, inflightBytesMax } = this.config;
    const progress = new Progress(id, isLearner, 0, nextIndex, inflightCountMax, inflightBytesMax);
    this.progress.push(progress);
    this.#progressById.set(id, progress);
    return progress;
  }
}
