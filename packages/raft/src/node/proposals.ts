import type { NodeId } from "@octopii/interfaces";
import type { ProposalResult } from "../core/input-output.js";
import { RaftError, type RaftErrorCode } from "../errors.js";
import type { ForwardRefusal } from "../messages.js";
import type { Entry, Index, Term } from "../types.js";
import { leadershipLost, resultMissed, timeoutError } from "./refusals.js";
import type { Waiter } from "./waiter.js";
import { WaitingEntries } from "./waiting-entries.js";

const refusals: Record<ForwardRefusal, { code: RaftErrorCode; message: string }> = {
  notLeader: { code: "OCTOPII_RAFT_NOT_LEADER", message: "This node is not the leader; send the proposal to the leader." },
  removed: { code: "OCTOPII_RAFT_NOT_LEADER", message: "The leader was removed from the group; wait for the next one." },
  transferring: { code: "OCTOPII_RAFT_TRANSFERRING", message: "Leadership is being handed over; propose again in a moment." },
  tooManyUncommittedBytes: { code: "OCTOPII_RAFT_BUSY", message: "Too many bytes wait for their commit; propose again later." },
  entryTooLarge: {
    code: "OCTOPII_RAFT_ENTRY_TOO_LARGE",
    message: "The command is larger than entryBytesMax; split it or raise the limit.",
  },
  busy: { code: "OCTOPII_RAFT_BUSY", message: "Too many proposals wait at the leader; propose again later." },
};

/** A batch of proposals on its way to whoever judges it. */
export interface Batch<Result> {
  readonly commands: readonly Uint8Array[];
  readonly waiters: readonly Waiter<Result>[];
}

/** Proposals on their way: queued for the next turn, then in somebody's log and waiting to be applied here. */
export class Proposals<Result> {
  #commands: Uint8Array[] = [];
  #queued: Waiter<Result>[] = [];
  /** The batch that the core is judging. */
  #submitted: readonly Waiter<Result>[] = [];
  readonly #entries = new WaitingEntries<Result>();
  /** The last entry that was applied here, so that an answer from the leader which comes after it is not waited for. */
  #appliedIndex: Index = 0;

  get queuedCount(): number {
    return this.#queued.length;
  }

  enqueue(command: Uint8Array, waiter: Waiter<Result>): void {
    this.#commands.push(command);
    this.#queued.push(waiter);
  }

  /** Takes the queue. Callers that gave up before the turn came are left out: they are spared the log entry. */
  takeQueued(): Batch<Result> {
    let commands = this.#commands;
    let waiters = this.#queued;
    if (waiters.some(isSettled)) {
      commands = commands.filter((_, i) => !isSettled(waiters[i] as Waiter<Result>));
      waiters = waiters.filter((waiter) => !isSettled(waiter));
    }
    this.#commands = [];
    this.#queued = [];
    return { commands, waiters };
  }

  /** Takes the queue for the core; {@link judged} must follow. */
  submit(): readonly Uint8Array[] {
    const { commands, waiters } = this.takeQueued();
    this.#submitted = waiters;
    return commands;
  }

  /** The core has judged what was submitted. */
  judged(result: ProposalResult, leaderId: NodeId): void {
    const submitted = this.#submitted;
    this.#submitted = [];
    this.place(submitted, result, leaderId);
  }

  /** Whoever's log it is, the first `count` of the waiters have entries in it. */
  place(
    waiters: readonly Waiter<Result>[],
    { count, firstIndex, term, refusal }: { count: number; firstIndex: Index; term: Term; refusal: ForwardRefusal | null },
    leaderId: NodeId,
  ): void {
    const placed = Math.min(count, waiters.length);
    for (let i = 0; i < placed; i++) this.#place(firstIndex + i, term, waiters[i] as Waiter<Result>);
    if (placed === waiters.length) return;
    const { code, message } = refusals[refusal ?? "busy"];
    for (let i = placed; i < waiters.length; i++) {
      waiters[i]?.reject(new RaftError(code, message, { outcome: "failed", details: { leaderId } }));
    }
  }

  #place(index: Index, term: Term, waiter: Waiter<Result>): void {
    waiter.term = term;
    // The answer came after the entry: its result has gone by, and whether that entry was ours nobody can tell any more.
    if (index <= this.#appliedIndex) return waiter.reject(resultMissed());
    // Whoever stood there before was cut from the log by another leader, whose own log may hold the entry all the same.
    this.#entries.place(index, waiter)?.reject(leadershipLost("unknown"));
  }

  /** The state machine applied `entries`: whoever proposed one gets its result. Another's in its place means it never will be. */
  applied(entries: readonly Entry[], results: readonly Result[]): void {
    let position = 0;
    for (const entry of entries) {
      const result = entry.kind === "command" ? (results[position++] as Result) : undefined;
      if (this.#entries.count === 0) continue;
      const waiter = this.#entries.take(entry.index);
      if (waiter === undefined) continue;
      if (waiter.term === entry.term && entry.kind === "command") waiter.resolve(result as Result);
      else waiter.reject(leadershipLost("failed"));
    }
    const last = entries[entries.length - 1];
    if (last !== undefined) this.#appliedIndex = last.index;
  }

  /** A snapshot took the place of entries up to `index`: what became of proposals among them, this node cannot tell. */
  skippedTo(index: Index): void {
    this.#entries.dropThrough(index, (waiter) => waiter.reject(resultMissed()));
    this.#appliedIndex = Math.max(this.#appliedIndex, index);
  }

  /** Rejects what is past its deadline, and forgets what has settled otherwise. */
  expire(now: number): void {
    this.#entries.sweep((waiter) => {
      if (waiter.deadline <= now) waiter.reject(timeoutError("commit"));
      return waiter.settled;
    });
    for (const waiter of this.#queued) if (waiter.deadline <= now) waiter.reject(timeoutError("turn"));
  }

  rejectAll(error: (outcome: "failed" | "unknown") => RaftError): void {
    for (const waiter of this.#queued) waiter.reject(error("failed"));
    // The core threw while it judged these: nobody knows how far it came.
    for (const waiter of this.#submitted) waiter.reject(error("unknown"));
    this.#entries.sweep((waiter) => {
      waiter.reject(error("unknown"));
      return true;
    });
    this.#commands = [];
    this.#queued = [];
    this.#submitted = [];
  }
}

const isSettled = (waiter: { readonly settled: boolean }): boolean => waiter.settled;
