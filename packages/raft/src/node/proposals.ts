import type { NodeId } from "@octopii/interfaces";
import type { ProposalRefusal, ProposalResult } from "../core/input-output.js";
import { RaftError, type RaftErrorCode } from "../errors.js";
import type { Entry, Index, Term } from "../types.js";
import type { Waiter } from "./waiter.js";

const refusals: Record<ProposalRefusal, { code: RaftErrorCode; message: string }> = {
  notLeader: { code: "OCTOPII_RAFT_NOT_LEADER", message: "This node is not the leader; send the proposal to the leader." },
  transferring: { code: "OCTOPII_RAFT_TRANSFERRING", message: "Leadership is being handed over; propose again in a moment." },
  tooManyUncommittedBytes: { code: "OCTOPII_RAFT_BUSY", message: "Too many bytes wait for their commit; propose again later." },
  entryTooLarge: {
    code: "OCTOPII_RAFT_ENTRY_TOO_LARGE",
    message: "The command is larger than entryBytesMax; split it or raise the limit.",
  },
};

interface Appended<Result> {
  readonly term: Term;
  readonly waiter: Waiter<Result>;
}

/** Proposals on their way: queued for the next turn, then appended and waiting to be applied. */
export class Proposals<Result> {
  #commands: Uint8Array[] = [];
  #queued: Waiter<Result>[] = [];
  /** The waiters of the batch that the core is judging. */
  #submitted: Waiter<Result>[] = [];
  readonly #appended = new Map<Index, Appended<Result>>();

  get queuedCount(): number {
    return this.#queued.length;
  }

  get isEmpty(): boolean {
    return this.#queued.length === 0 && this.#appended.size === 0;
  }

  enqueue(command: Uint8Array, waiter: Waiter<Result>): void {
    this.#commands.push(command);
    this.#queued.push(waiter);
  }

  /** The queued commands, for the core. {@link judged} must follow. */
  submit(): Uint8Array[] {
    const commands: Uint8Array[] = [];
    const submitted: Waiter<Result>[] = [];
    // A caller that has given up before the turn came is spared the log entry.
    this.#queued.forEach((waiter, i) => {
      if (waiter.settled) return;
      submitted.push(waiter);
      commands.push(this.#commands[i] as Uint8Array);
    });
    this.#submitted = submitted;
    this.#commands = [];
    this.#queued = [];
    return commands;
  }

  judged(result: ProposalResult, leaderId: NodeId): void {
    const submitted = this.#submitted;
    this.#submitted = [];
    for (let i = 0; i < result.count; i++) {
      this.#place(result.firstIndex + i, { term: result.term, waiter: submitted[i] as Waiter<Result> });
    }
    if (result.refusal === null) return;
    const { code, message } = refusals[result.refusal];
    for (let i = result.count; i < submitted.length; i++) {
      submitted[i]?.reject(new RaftError(code, message, { outcome: "failed", details: { leaderId } }));
    }
  }

  /** Whoever stood at `index` before was cut from our log by another leader, whose log may hold the entry all the same. */
  #place(index: Index, appended: Appended<Result>): void {
    this.#appended.get(index)?.waiter.reject(leadershipLost("unknown"));
    this.#appended.set(index, appended);
  }

  /** The state machine applied `entry`: whoever proposed it gets `result`. Another's entry in its place means it never will be. */
  applied(entry: Entry, result: Result | undefined): void {
    const appended = this.#appended.get(entry.index);
    if (appended === undefined) return;
    this.#appended.delete(entry.index);
    if (appended.term === entry.term) return appended.waiter.resolve(result as Result);
    appended.waiter.reject(leadershipLost("failed"));
  }

  /** Rejects what is past its deadline, and forgets what has settled otherwise. */
  expire(now: number): void {
    for (const [index, { waiter }] of this.#appended) {
      if (waiter.deadline <= now) waiter.reject(timeoutError("unknown"));
      if (waiter.settled) this.#appended.delete(index);
    }
  }

  rejectAll(error: (outcome: "failed" | "unknown") => RaftError): void {
    for (const waiter of this.#queued) waiter.reject(error("failed"));
    // The core threw while it judged these: nobody knows how far it came.
    for (const waiter of this.#submitted) waiter.reject(error("unknown"));
    for (const { waiter } of this.#appended.values()) waiter.reject(error("unknown"));
    this.#commands = [];
    this.#queued = [];
    this.#submitted = [];
    this.#appended.clear();
  }
}

function leadershipLost(outcome: "failed" | "unknown"): RaftError {
  const message = "Leadership was lost before the proposal was committed, and another leader's entry took its place.";
  return new RaftError("OCTOPII_RAFT_LEADERSHIP_LOST", message, { outcome });
}

export function timeoutError(outcome: "failed" | "unknown"): RaftError {
  const doubt = outcome === "unknown" ? " It may still be committed." : "";
  return new RaftError("OCTOPII_RAFT_TIMEOUT", `No quorum answered before the deadline.${doubt}`, { outcome });
}
