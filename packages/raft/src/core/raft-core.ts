import type { NodeId, Random } from "@octopii/interfaces";
import { broken } from "../assert.js";
import { type Configuration, validateConfiguration } from "../configuration/index.js";
import { type LogStart, RaftLog } from "../log/raft-log.js";
import type { Message } from "../messages.js";
import { type RaftCoreOptions, resolveRaftCoreOptions } from "../options.js";
import type { TraceSink } from "../trace.js";
import type { GroupId, HardState, Index, SnapshotMetadata, Term } from "../types.js";
import {
  answerPreVote,
  campaign,
  forgetLeader,
  handlePreVote,
  handleRequestVote,
  handleVoteResponse,
  isShieldingLeader,
  keepShield,
  mayCampaign,
  shieldTicks,
} from "./election.js";
import { acknowledge, handleAppendEntries, handleHeartbeat, handleInstallSnapshot } from "./following.js";
import type { Applied, RaftInput, RaftOutput, RaftStatus } from "./input-output.js";
import { applyConfigurations, forgetAppliedChanges, leaveJointIfDue } from "./membership.js";
import { takeOutput } from "./output.js";
import { propose, proposeChange } from "./proposing.js";
import { beat, confirmReadsOfStep, handleReadIndex, handleReadIndexResponse, requestRead } from "./read-index.js";
import { Replica } from "./replica.js";
import { handleAppendEntriesResponse, handleFetched, handleHeartbeatResponse, handleOwnDurability } from "./replication.js";
import { endLingering, handleSnapshotReport, handleUnreachable, sendAllDue, sendDue } from "./sending.js";
import { abortTransfer, transferLeadership } from "./transfer.js";
import { isResponse, isWellFormed } from "./well-formed.js";

/** No group holds so many elections while a member is away. Whoever claims it would have us use up the numbers that terms can have. */
const termLeapMax = 2 ** 32;

/** What a {@link RaftCore} starts from: the whole persistent state, read back and verified by the driver. */
export interface RaftCoreStart {
  readonly id: NodeId;
  readonly group: GroupId;
  readonly hardState: HardState;
  /** As of the applied index of `log`; empty for a node that waits to be added. */
  readonly configuration: Configuration;
  /** The newest snapshot in storage that followers can be sent; at or above the log's compacted index. */
  readonly snapshot?: SnapshotMetadata | null;
  readonly log: LogStart;
}

/**
 * Raft as a pure, synchronous state machine: one input, one output. It does no I/O, reads no clock, and draws randomness only from
 * the source given in, so the same inputs give the same outputs.
 *
 * It throws `InvariantError` when its own state is impossible, never because of what a peer sends.
 *
 * Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm" (2014); Ongaro's thesis for pre-vote, transfer,
 * and reads.
 */
export class RaftCore {
  readonly #raft: Replica;
  #lastHardState: HardState;

  /** @throws RangeError that lists what is wrong with the options, or names what is wrong with the configuration. */
  constructor(start: RaftCoreStart, options: RaftCoreOptions, random: Random, trace: TraceSink | null = null) {
    const config = resolveRaftCoreOptions(options);
    const problem = validateConfiguration(start.configuration);
    if (problem !== null) throw new RangeError(`Raft configuration: ${problem.message}.`);
    const log = new RaftLog(start.log, config.cacheBytesMax);
    this.#raft = new Replica({ ...start, snapshot: start.snapshot ?? null, log }, config, random, trace);
    this.#lastHardState = start.hardState;
    this.#raft.trace({ type: "restore", hardState: start.hardState, lastIndex: start.log.lastIndex, terms: start.log.terms });
  }

  /** Takes everything that happened since the last step and says everything that is to be done about it. */
  step(input: RaftInput): RaftOutput {
    const raft = this.#raft;
    raft.now = input.now ?? null;
    raft.ticksToCount = input.ticks ?? 0;
    endLingering(raft);
    this.#takeStorage(input);
    if (input.messages !== undefined) for (const message of input.messages) this.#receive(message);
    for (let tick = 0; tick < (input.ticks ?? 0); tick++) this.#tick();
    if (input.unreachable !== undefined) for (const id of input.unreachable) handleUnreachable(raft, id);
    if (input.snapshotReports !== undefined)
      for (const { peer, delivered } of input.snapshotReports) handleSnapshotReport(raft, peer, delivered);
    if (input.campaign === true) campaign(raft, "timeout");
    if (input.forgetLeader === true) forgetLeader(raft);
    if (input.transferTo !== undefined) transferLeadership(raft, input.transferTo);
    const proposed = input.proposals === undefined ? null : propose(raft, input.proposals);
    const changed = input.change === undefined ? null : proposeChange(raft, input.change);
    if (input.abandonedReads !== undefined) for (const id of input.abandonedReads) raft.reads.takeForwarded(id);
    if (input.reads !== undefined) for (const read of input.reads) requestRead(raft, read);
    sendDue(raft);
    confirmReadsOfStep(raft);
    const output = takeOutput(raft, this.#lastHardState, proposed, changed);
    if (output.write?.hardState != null) this.#lastHardState = output.write.hardState;
    return output;
  }

  /** 0 when unknown. */
  get leaderId(): NodeId {
    return this.#raft.leaderId;
  }

  get appliedIndex(): Index {
    return this.#raft.log.appliedIndex;
  }

  get currentTerm(): Term {
    return this.#raft.currentTerm;
  }

  /**
   * What a snapshot of the state machine would be called if it were taken now, after the last input's `applied`. Null if there is nothing to
   * take: nothing was applied yet, or another snapshot is being restored.
   */
  describeSnapshot(): SnapshotMetadata | null {
    const { log, configuration } = this.#raft;
    const index = log.appliedIndex;
    return index === 0 || log.restoringIndex !== 0 ? null : { index, term: log.termAt(index), configuration };
  }

  status(): RaftStatus {
    const raft = this.#raft;
    return {
      id: raft.id,
      role: raft.role,
      currentTerm: raft.currentTerm,
      votedFor: raft.votedFor,
      leaderId: raft.leaderId,
      compactedIndex: raft.log.compactedIndex,
      lastIndex: raft.log.lastIndex,
      durableIndex: raft.log.durableIndex,
      commitIndex: raft.log.committedIndex,
      appliedIndex: raft.log.appliedIndex,
      snapshotIndex: raft.snapshot?.index ?? 0,
      configuration: raft.configuration,
      transferTarget: raft.transferTarget,
      progress: raft.progress.map((progress) => progress.view()),
    };
  }

  /** What the disk and the state machine have done since the last step. */
  #takeStorage(input: RaftInput): void {
    const raft = this.#raft;
    if (input.durableSequence !== undefined) this.#onDurable(input.durableSequence);
    if (input.applied !== undefined) this.#onApplied(input.applied);
    if (input.restoredIndex !== undefined) raft.log.markRestored(input.restoredIndex);
    if (input.snapshot !== undefined) this.#onSnapshot(input.snapshot);
    // What a follower is slow to apply, it can read from its disk; a leader counts it, and refuses what would be too much.
    if (raft.role !== "leader") raft.log.shrinkCache(raft.log.durableIndex);
    if (input.compactTo !== undefined) this.#compact(input.compactTo);
    if (input.fetched !== undefined) for (const fetched of input.fetched) handleFetched(raft, fetched);
  }

  #onDurable(sequence: number): void {
    const raft = this.#raft;
    const { lastIndex, promises } = raft.writes.complete(sequence);
    raft.log.markDurable(lastIndex);
    for (const promise of promises) {
      if (promise.to === raft.id) this.#receive(promise);
      else raft.messages.push(promise);
    }
    if (raft.role === "leader") handleOwnDurability(raft);
  }

  #onApplied({ index, configurations }: Applied): void {
    const raft = this.#raft;
    // A snapshot has replaced all of this, its configuration included.
    if (raft.log.restoringIndex !== 0) return;
    if (configurations.length > 0) {
      // Whoever is taken out gets to know that it is committed.
      sendAllDue(raft);
      applyConfigurations(raft, configurations);
      sendDue(raft);
    }
    if (raft.role === "leader") raft.unappliedBytes -= raft.log.bytesBetween(raft.log.appliedIndex + 1, index);
    raft.log.markApplied(index);
    forgetAppliedChanges(raft);
    leaveJointIfDue(raft);
  }

  #onSnapshot(snapshot: SnapshotMetadata): void {
    const raft = this.#raft;
    if (snapshot.index <= (raft.snapshot?.index ?? 0)) return;
    raft.snapshot = snapshot;
    raft.trace({ type: "snapshot", phase: "available", snapshot });
  }

  #compact(index: Index): void {
    const raft = this.#raft;
    // Between the wish and this step a snapshot may have come that goes further.
    if (index <= raft.log.compactedIndex) return;
    if (index > (raft.snapshot?.index ?? 0)) broken(`compaction to ${index} goes beyond the newest snapshot`);
    raft.log.compact(index);
    raft.trace({ type: "compact", index });
  }

  #receive(message: Message): void {
    const raft = this.#raft;
    if (message.group !== raft.group || message.to !== raft.id) return raft.drop(message, "notForUs");
    if (!isWellFormed(message) || message.term - raft.currentTerm > termLeapMax) return raft.drop(message, "malformed");
    // Whoever is no member may ask, for we may not know of it yet; but we asked nothing of it.
    if (isResponse(message) && message.from !== raft.id && !this.knows(message.from)) return raft.drop(message, "unknownSender");
    // These a stranger never sends, and by its term alone it would depose a leader.
    if (message.term > raft.currentTerm && isAmongMembers(message) && !this.knows(message.from)) return raft.drop(message, "unknownSender");
    if (message.term > raft.currentTerm && !this.#acceptHigherTerm(message)) return;
    if (message.term < raft.currentTerm) return this.#answerFromThePast(message);
    this.#dispatch(message);
  }

  /** Whether a node is one that this one hears: of the group, as far as it knows, or as leader one that it replicates to. */
  knows(id: NodeId): boolean {
    return this.#raft.role === "leader" ? this.#raft.progressOf(id) !== undefined : this.#raft.isMember(id);
  }

  /** @returns false if the message is to be ignored. */
  #acceptHigherTerm(message: Message): boolean {
    const raft = this.#raft;
    if ((message.type === "RequestVote" || message.type === "PreVote") && isShieldingLeader(raft, message)) {
      raft.trace({ type: "shielded", message, remainingTicks: shieldTicks(raft) });
      raft.drop(message, "leaderIsAlive");
      return false;
    }
    // A pre-vote asks about a term that nobody is in yet, and its grant echoes it.
    if (message.type === "PreVote" || (message.type === "PreVoteResponse" && message.granted)) return true;
    raft.trace({ type: "laterTerm", message, ownTerm: raft.currentTerm });
    // By a RequestVote that comes through, the leader itself gave it up.
    if (message.type !== "RequestVote") keepShield(raft);
    const { role, electionElapsedTicks } = raft;
    raft.becomeFollower(message.term, isFromLeader(message) ? message.from : 0);
    // The election timer runs on unless the vote is granted: whoever asks in vain, again and again, must not keep those from standing who could
    // win. Source: Raft figure 2, "followers".
    if (message.type === "RequestVote" && role !== "leader") raft.electionElapsedTicks = electionElapsedTicks;
    return true;
  }

  #answerFromThePast(message: Message): void {
    const raft = this.#raft;
    const { checkQuorum, preVote } = raft.config;
    // Our higher term deposes a leader that returns from a partition; without an answer it could never learn of it, for under
    // pre-vote and check-quorum we don't campaign against it either. Source: the liveness note in thesis §9.6.
    const isFromOldLeader = message.type === "AppendEntries" || message.type === "Heartbeat";
    if (isFromOldLeader && (checkQuorum || preVote)) return acknowledge(raft, message.from, 0);
    if (message.type === "PreVote") return answerPreVote(raft, message, false);
    raft.drop(message, "staleTerm");
  }

  #dispatch(message: Message): void {
    const raft = this.#raft;
    switch (message.type) {
      case "RequestVote":
        return handleRequestVote(raft, message);
      case "PreVote":
        return handlePreVote(raft, message);
      case "RequestVoteResponse":
      case "PreVoteResponse":
        return handleVoteResponse(raft, message);
      case "AppendEntries":
        return this.#followSender(message) ? handleAppendEntries(raft, message) : undefined;
      case "InstallSnapshot":
        return this.#followSender(message) ? handleInstallSnapshot(raft, message) : undefined;
      case "Heartbeat":
        return this.#followSender(message) ? handleHeartbeat(raft, message) : undefined;
      case "AppendEntriesResponse":
        return raft.role === "leader" ? handleAppendEntriesResponse(raft, message) : raft.drop(message, "unexpected");
      case "HeartbeatResponse":
        return raft.role === "leader" ? handleHeartbeatResponse(raft, message) : raft.drop(message, "unexpected");
      case "ReadIndex":
        return handleReadIndex(raft, message);
      case "ReadIndexResponse":
        return handleReadIndexResponse(raft, message);
      case "TimeoutNow":
        return raft.role === "follower" && message.from === raft.leaderId ? campaign(raft, "transfer") : raft.drop(message, "unexpected");
      case "ForwardProposals":
      case "ForwardProposalsResponse":
        // They are the driver's.
        return raft.drop(message, "unexpected");
    }
  }

  /** A leader of our term speaks. @returns false if that cannot be: there is one leader per term, and it was another. */
  #followSender(message: Message): boolean {
    const raft = this.#raft;
    if (raft.role === "leader" || (raft.leaderId !== 0 && raft.leaderId !== message.from)) {
      raft.drop(message, "secondLeader");
      return false;
    }
    if (raft.role !== "follower") raft.becomeFollower(raft.currentTerm, message.from);
    else if (raft.leaderId === 0) raft.follow(message.from);
    raft.electionElapsedTicks = -raft.ticksToCount;
    return true;
  }

  #tick(): void {
    const raft = this.#raft;
    if (raft.olderShieldTicks > 0) raft.olderShieldTicks--;
    raft.electionElapsedTicks++;
    if (raft.role === "leader") return this.#tickLeader();
    if (raft.electionElapsedTicks < raft.electionTimeoutTicks || !mayCampaign(raft)) return;
    // If something keeps us from it, the time that we have waited stands: we try again, and shield no leader meanwhile.
    campaign(raft, "timeout");
  }

  #tickLeader(): void {
    const raft = this.#raft;
    raft.heartbeatElapsedTicks++;
    if (raft.electionElapsedTicks >= raft.config.electionTicks) {
      raft.electionElapsedTicks = 0;
      // Counted in any case: whether a change would leave a quorum rests on who was heard of lately.
      const isHeard = this.#hasActiveQuorum();
      if (raft.config.checkQuorum && !isHeard) {
        raft.trace({ type: "quorumLost", term: raft.currentTerm });
        return raft.becomeFollower(raft.currentTerm, 0);
      }
    }
    if (raft.transferTarget !== 0 && ++raft.transferElapsedTicks >= raft.config.electionTicks) {
      abortTransfer(raft);
      // It may have waited for the transfer.
      leaveJointIfDue(raft);
    }
    if (raft.heartbeatElapsedTicks >= raft.config.heartbeatTicks) beat(raft);
  }

  #hasActiveQuorum(): boolean {
    const raft = this.#raft;
    const result = raft.quorumVote((id) => raft.progressOf(id)?.recentlyActive ?? false);
    for (const progress of raft.progress) progress.beginActivityPeriod(progress.id === raft.id);
    return result === "won";
  }
}

function isFromLeader({ type }: Message): boolean {
  return type === "AppendEntries" || type === "Heartbeat" || type === "InstallSnapshot";
}

/** What a member says to those that it knows to be members, and that know it: whoever is new has been sent entries before. */
function isAmongMembers({ type }: Message): boolean {
  return type === "TimeoutNow" || type === "ReadIndex" || type === "ReadIndexResponse";
}
