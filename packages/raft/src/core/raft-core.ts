import type { NodeId, Random } from "@octopii/interfaces";
import type { Configuration } from "../configuration/index.js";
import { type LogStart, RaftLog } from "../log/raft-log.js";
import type { Message } from "../messages.js";
import { type RaftCoreOptions, resolveRaftCoreOptions } from "../options.js";
import type { TraceSink } from "../trace.js";
import type { GroupId, HardState, Index } from "../types.js";
import { answerPreVote, campaign, handlePreVote, handleRequestVote, handleVoteResponse, isShieldingLeader } from "./election.js";
import { acknowledge, handleAppendEntries, handleHeartbeat } from "./following.js";
import type { ApplyRange, LogWrite, PeerProgress, ProposalResult, RaftInput, RaftOutput, RaftStatus } from "./input-output.js";
import { beginReadRound, handleReadIndex, handleReadIndexResponse, requestRead } from "./read-index.js";
import { Replica } from "./replica.js";
import * as replication from "./replication.js";
import { broadcastHeartbeat } from "./sending.js";
import { isWellFormed } from "./well-formed.js";

/** What a {@link RaftCore} starts from: the whole persistent state, read back and verified by the driver. */
export interface RaftCoreStart {
  readonly id: NodeId;
  readonly group: GroupId;
  readonly hardState: HardState;
  readonly configuration: Configuration;
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

  constructor(start: RaftCoreStart, options: RaftCoreOptions, random: Random, trace: TraceSink | null = null) {
    const config = resolveRaftCoreOptions(options);
    const log = new RaftLog(start.log, config.cacheBytesMax);
    this.#raft = new Replica({ ...start, log }, config, random, trace);
    this.#lastHardState = start.hardState;
    this.#raft.trace({ type: "restore", hardState: start.hardState, lastIndex: start.log.lastIndex, terms: start.log.terms });
  }

  /** Takes everything that happened since the last step and says everything that is to be done about it. */
  step(input: RaftInput): RaftOutput {
    const raft = this.#raft;
    if (input.durableSequence !== undefined) this.#onDurable(input.durableSequence);
    if (input.appliedIndex !== undefined) raft.log.markApplied(input.appliedIndex);
    if (input.fetched !== undefined) for (const fetched of input.fetched) replication.handleFetched(raft, fetched);
    if (input.messages !== undefined) for (const message of input.messages) this.#receive(message);
    for (let tick = 0; tick < (input.ticks ?? 0); tick++) this.#tick();
    if (input.unreachable !== undefined) for (const id of input.unreachable) replication.handleUnreachable(raft, id);
    if (input.campaign === true) campaign(raft, "timeout");
    if (input.transferTo !== undefined) replication.transferLeadership(raft, input.transferTo);
    const proposed = input.proposals === undefined ? null : replication.propose(raft, input.proposals);
    if (input.abandonedReads !== undefined) for (const id of input.abandonedReads) raft.reads.takeForwarded(id);
    if (input.reads !== undefined) for (const id of input.reads) requestRead(raft, id);
    beginReadRound(raft);
    return this.#takeOutput(proposed);
  }

  /** 0 when unknown. */
  get leaderId(): NodeId {
    return this.#raft.leaderId;
  }

  get appliedIndex(): Index {
    return this.#raft.log.appliedIndex;
  }

  status(): RaftStatus {
    const raft = this.#raft;
    return {
      id: raft.id,
      role: raft.role,
      currentTerm: raft.currentTerm,
      votedFor: raft.votedFor,
      leaderId: raft.leaderId,
      lastIndex: raft.log.lastIndex,
      durableIndex: raft.log.durableIndex,
      commitIndex: raft.log.committedIndex,
      appliedIndex: raft.log.appliedIndex,
      voters: raft.configuration.voters,
      learners: raft.configuration.learners,
      progress: raft.progress.map(({ id, matchIndex, nextIndex, state }): PeerProgress => ({ id, matchIndex, nextIndex, state })),
    };
  }

  #onDurable(sequence: number): void {
    const raft = this.#raft;
    const { lastIndex, promises } = raft.writes.complete(sequence);
    raft.log.markDurable(lastIndex);
    for (const promise of promises) {
      if (promise.to === raft.id) this.#receive(promise);
      else raft.messages.push(promise);
    }
    if (raft.role === "leader") replication.handleOwnDurability(raft);
  }

  #receive(message: Message): void {
    const raft = this.#raft;
    if (message.group !== raft.group || message.to !== raft.id) return raft.drop(message, "notForUs");
    if (!isWellFormed(message)) return raft.drop(message, "malformed");
    if (message.term > raft.currentTerm && !this.#acceptHigherTerm(message)) return;
    if (message.term < raft.currentTerm) return this.#answerFromThePast(message);
    this.#dispatch(message);
  }

  /** @returns false if the message is to be ignored. */
  #acceptHigherTerm(message: Message): boolean {
    const raft = this.#raft;
    if (isShieldingLeader(raft, message)) {
      raft.drop(message, "leaderIsAlive");
      return false;
    }
    // A pre-vote asks about a term that nobody is in yet, and its grant echoes it.
    if (message.type === "PreVote" || (message.type === "PreVoteResponse" && message.granted)) return true;
    const fromLeader = message.type === "AppendEntries" || message.type === "Heartbeat";
    raft.becomeFollower(message.term, fromLeader ? message.from : 0);
    return true;
  }

  #answerFromThePast(message: Message): void {
    const raft = this.#raft;
    const fromLeader = message.type === "AppendEntries" || message.type === "Heartbeat";
    // Our higher term deposes a leader that returns from a partition; without an answer it could never learn of it, for under
    // pre-vote and check-quorum we don't campaign against it either. Source: the liveness note in thesis §9.6.
    if (fromLeader && (raft.config.checkQuorum || raft.config.preVote)) return acknowledge(raft, message.from, 0);
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
      case "Heartbeat":
        return this.#followSender(message) ? handleHeartbeat(raft, message) : undefined;
      case "AppendEntriesResponse":
        return raft.role === "leader" ? replication.handleAppendEntriesResponse(raft, message) : raft.drop(message, "unexpected");
      case "HeartbeatResponse":
        return raft.role === "leader" ? replication.handleHeartbeatResponse(raft, message) : raft.drop(message, "unexpected");
      case "ReadIndex":
        return handleReadIndex(raft, message);
      case "ReadIndexResponse":
        return handleReadIndexResponse(raft, message);
      case "TimeoutNow":
        return raft.role === "follower" && message.from === raft.leaderId ? campaign(raft, "transfer") : raft.drop(message, "unexpected");
    }
  }

  /** A leader of our term speaks. @returns false if that cannot be: there is one leader per term, and it was another. */
  #followSender(message: Message): boolean {
    const raft = this.#raft;
    if (raft.role === "leader" || (raft.leaderId !== 0 && raft.leaderId !== message.from)) {
      raft.drop(message, "secondLeader");
      return false;
    }
    if (raft.role !== "follower" || raft.leaderId === 0) raft.becomeFollower(raft.currentTerm, message.from);
    raft.electionElapsedTicks = 0;
    return true;
  }

  #tick(): void {
    const raft = this.#raft;
    raft.electionElapsedTicks++;
    if (raft.role === "leader") return this.#tickLeader();
    if (raft.electionElapsedTicks >= raft.electionTimeoutTicks) campaign(raft, "timeout");
  }

  #tickLeader(): void {
    const raft = this.#raft;
    raft.heartbeatElapsedTicks++;
    if (raft.electionElapsedTicks >= raft.config.electionTicks) {
      raft.electionElapsedTicks = 0;
      // A transfer that took this long has failed; proposals flow again.
      raft.transferTarget = 0;
      if (raft.config.checkQuorum && !this.#hasActiveQuorum()) return raft.becomeFollower(raft.currentTerm, 0);
    }
    if (raft.heartbeatElapsedTicks >= raft.config.heartbeatTicks) broadcastHeartbeat(raft);
  }

  #hasActiveQuorum(): boolean {
    const raft = this.#raft;
    const result = raft.quorumVote((id) => raft.progressOf(id)?.recentlyActive ?? false);
    for (const progress of raft.progress) progress.recentlyActive = progress.id === raft.id;
    return result === "won";
  }

  #takeOutput(proposed: ProposalResult | null): RaftOutput {
    const raft = this.#raft;
    const write = this.#takeWrite();
    const output: RaftOutput = {
      write,
      messages: raft.messages,
      apply: this.#takeApplicable(),
      fetch: raft.fetches,
      proposed,
      reads: raft.readyReads,
    };
    raft.messages = [];
    raft.fetches = [];
    raft.readyReads = [];
    return output;
  }

  #takeWrite(): LogWrite | null {
    const raft = this.#raft;
    const { currentTerm, votedFor } = raft;
    const commitIndex = raft.log.committedIndex;
    const last = this.#lastHardState;
    const promised = currentTerm !== last.currentTerm || votedFor !== last.votedFor;
    const hardState = promised || commitIndex !== last.commitIndex ? { currentTerm, votedFor, commitIndex } : null;
    const entries = raft.log.takeUnwritten();
    if (hardState === null && entries.length === 0 && raft.promises.length === 0) return null;
    if (hardState !== null) this.#lastHardState = hardState;
    const sequence = raft.writes.add(raft.log.lastIndex, raft.promises);
    raft.promises = [];
    return { sequence, hardState, entries, lazy: entries.length === 0 && !promised };
  }

  #takeApplicable(): ApplyRange | null {
    const { log, config } = this.#raft;
    // One batch at a time: while the state machine works, the next batch gathers.
    if (log.applyingIndex !== log.appliedIndex || log.applyingIndex >= log.applicableIndex) return null;
    const from = log.applyingIndex + 1;
    if (!log.isCached(from)) {
      const to = Math.min(log.applicableIndex, log.firstCachedIndex - 1);
      log.applyingIndex = to;
      return { from, to, entries: null };
    }
    const entries = log.cached(from, log.applicableIndex, config.applyBytesMax);
    const to = from + entries.length - 1;
    log.applyingIndex = to;
    return { from, to, entries };
  }
}
