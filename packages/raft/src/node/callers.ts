import type { NodeId } from "@octopii/interfaces";
import type { ChangeResult, ProposalResult, RaftInput, ReadReady } from "../core/input-output.js";
import type { RaftError } from "../errors.js";
import type { ForwardProposals, ForwardProposalsResponse, Message } from "../messages.js";
import type { RaftCoreConfig } from "../options.js";
import type { DropReason, TraceEvent } from "../trace.js";
import { type Entry, entryWireBytes, type GroupId, type Index } from "../types.js";
import { CatchUp } from "./catch-up.js";
import { Changes } from "./changes.js";
import { Forwarding } from "./forwarding.js";
import type { Inbox } from "./inbox.js";
import { LeaderWaits } from "./leader-waits.js";
import type { RaftNodeConfig } from "./node-options.js";
import { type Batch, Proposals } from "./proposals.js";
import { Reads } from "./reads.js";
import { ForwardedBatches, type PartResult, partOf } from "./submission.js";
import { idsPerProcess } from "./taken-requests.js";
import { Transfers } from "./transfers.js";

/** What the callers' side asks of its node. */
export interface CallersHost {
  readonly id: NodeId;
  readonly group: GroupId;
  leaderId(): NodeId;
  currentTerm(): number;
  /** Whether a node is of the group, as far as this one knows. */
  knows(id: NodeId): boolean;
  send(message: Message): void;
}

/** Everybody who waits for something of this replica, from the call to its outcome. */
export class Callers<Result> {
  readonly proposals: Proposals<Result> = new Proposals<Result>();
  readonly forwarding: Forwarding<Result>;
  readonly reads: Reads;
  readonly changes: Changes = new Changes();
  readonly catchUp: CatchUp;
  readonly transfers: Transfers;
  readonly leaderWaits: LeaderWaits = new LeaderWaits();
  readonly #forwarded: ForwardedBatches;
  readonly #mayForward: boolean;
  /** Of commands in one message to the leader; a larger one goes alone. */
  readonly #forwardBytesMax: number;
  readonly #host: CallersHost;
  /** How many of the commands that the core is judging are our own. */
  #ownSubmitted = 0;

  /** @param processId - differs from process to process of one node. */
  constructor(host: CallersHost, config: RaftNodeConfig & RaftCoreConfig, processId: number) {
    const electionTimeoutMs = config.electionTicks * config.tickMs;
    this.#host = host;
    this.#forwardBytesMax = config.appendBytesMax;
    this.#mayForward = config.forwardProposals;
    this.reads = new Reads(electionTimeoutMs, processId * idsPerProcess);
    this.forwarding = new Forwarding(this.proposals, processId * idsPerProcess);
    this.#forwarded = new ForwardedBatches(config.queuedProposalsMax, config.uncommittedBytesMax, config.entryBytesMax);
    this.catchUp = new CatchUp(electionTimeoutMs, config.catchUpRounds);
    this.transfers = new Transfers(electionTimeoutMs);
  }

  /** How many wait for something that is neither proposed as a command nor read. */
  get controlCount(): number {
    return this.changes.count + this.catchUp.count + this.transfers.count + this.leaderWaits.count;
  }

  /** The input of the next turn. @param now - in ticks. */
  takeInput(inbox: Inbox, now: number | undefined): RaftInput {
    const leaderId = this.#host.leaderId();
    if (this.#mayForward && leaderId !== 0 && leaderId !== this.#host.id) this.#forward(leaderId);
    const own = this.proposals.queuedCount === 0 ? nothing : this.proposals.submit();
    this.#ownSubmitted = own.length;
    const proposals = this.#forwarded.isEmpty ? own : this.#forwarded.submit(own);
    if (this.changes.hasQueued) inbox.change = this.changes.submit();
    return inbox.take(now, proposals, this.reads.takeQueued(), this.reads.takeAbandoned());
  }

  #forward(leaderId: NodeId): void {
    if (this.proposals.queuedCount === 0) return;
    const { commands, waiters } = this.proposals.takeQueued();
    for (let from = 0; from < commands.length; ) {
      const to = endOfBatch(commands, from, this.#forwardBytesMax);
      this.#send(leaderId, { commands: commands.slice(from, to), waiters: waiters.slice(from, to) });
      from = to;
    }
  }

  #send(to: NodeId, batch: Batch<Result>): void {
    const { id: from, group } = this.#host;
    const term = this.#host.currentTerm();
    const requestId = this.forwarding.add(to, term, batch);
    this.#host.send({ type: "ForwardProposals", group, from, to, term, requestId, commands: batch.commands });
  }

  proposed(result: ProposalResult): void {
    const leaderId = this.#host.leaderId();
    this.proposals.judged(partOf(result, 0, this.#ownSubmitted), leaderId);
    this.#forwarded.judged(result, this.#ownSubmitted, (to, requestId, part) => this.#answer(to, requestId, part));
  }

  changed(result: ChangeResult): void {
    this.changes.judged(result, this.#host.leaderId());
  }

  read(ready: ReadReady, appliedIndex: Index): void {
    this.reads.ready(ready, appliedIndex, this.#host.leaderId());
  }

  /** Commands that another member passed on to us. @returns why they were dropped; null if they were taken or answered. */
  takeForwarded(message: ForwardProposals): DropReason | null {
    // Whoever is no member, any more or ever, has no say here.
    if (!this.#host.knows(message.from)) return "unknownSender";
    // Of another term: the sender asked a leader that we were once, and what came of that nobody can tell any more.
    if (message.term !== this.#host.currentTerm()) return "staleTerm";
    if (this.#forwarded.isRepeated(message)) return null;
    const refusal = this.#forwarded.add(message);
    if (refusal !== null) this.#answer(message.from, message.requestId, { count: 0, firstIndex: 0, term: 0, refusal });
    return null;
  }

  forwardAnswered(message: ForwardProposalsResponse): void {
    this.forwarding.answered(message);
  }

  /** The state machine has applied `entries`. */
  applied(entries: readonly Entry[], results: readonly Result[]): void {
    this.proposals.applied(entries, results);
  }

  /** All up to `index` is applied. @param configurations - what it holds of them takes effect with the next turn. */
  finished(index: Index, configurations: readonly Entry[]): void {
    this.changes.applied(index, configurations);
    this.reads.appliedTo(index);
  }

  /** A snapshot took the place of everything up to `index`. */
  restored(index: Index): void {
    this.proposals.skippedTo(index);
    this.changes.skippedTo(index);
    this.reads.appliedTo(index);
  }

  observe(event: TraceEvent): void {
    if (event.type === "role" || event.type === "leader") this.forwarding.follow(event.leaderId, event.term);
    else if (event.type === "configuration") this.changes.configured(event.configuration);
    else if (event.type === "changeVoid") this.changes.voided(event.index, event.reason);
    this.transfers.observe(event);
    this.leaderWaits.observe(event);
  }

  /** Rejects what is past its deadline. */
  expire(now: number): void {
    this.proposals.expire(now);
    this.forwarding.expire(now);
    this.reads.expire(now);
    this.changes.expire(now);
    this.catchUp.expire(now);
    this.transfers.expire(now);
    this.leaderWaits.expire(now);
  }

  /** No turn will come any more. */
  rejectAll(error: (outcome: "failed" | "unknown") => RaftError): void {
    this.proposals.rejectAll(error);
    this.forwarding.rejectAll(error);
    this.reads.rejectAll(error("failed"));
    this.changes.rejectAll(error);
    this.catchUp.rejectAll(error("failed"));
    this.transfers.rejectAll(error("unknown"));
    this.leaderWaits.rejectAll(error("failed"));
  }

  #answer(to: NodeId, requestId: number, { count, firstIndex, term: entryTerm, refusal }: PartResult): void {
    const { id: from, group } = this.#host;
    const term = this.#host.currentTerm();
    this.#host.send({ type: "ForwardProposalsResponse", group, from, to, term, requestId, count, firstIndex, entryTerm, refusal });
  }
}

/** Where a batch from `from` on ends that is no larger than `bytesMax`, or holds one command. */
function endOfBatch(commands: readonly Uint8Array[], from: number, bytesMax: number): number {
  let bytes = 0;
  let end = from;
  for (; end < commands.length; end++) {
    bytes += (commands[end] as Uint8Array).length + entryWireBytes;
    if (bytes > bytesMax && end > from) break;
  }
  return end;
}

const nothing: readonly Uint8Array[] = [];
