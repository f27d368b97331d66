import type { NodeId } from "@octopii/interfaces";
import { RaftError } from "../errors.js";
import type { ForwardProposalsResponse } from "../messages.js";
import type { Term } from "../types.js";
import type { Batch, Proposals } from "./proposals.js";
import { timeoutError } from "./refusals.js";
import type { Waiter } from "./waiter.js";

interface Forwarded<Result> {
  readonly leaderId: NodeId;
  readonly term: Term;
  readonly waiters: readonly Waiter<Result>[];
}

/**
 * Proposals that this follower passed on to the leader and that have no place in the log yet, as far as it knows. Once the leader says where
 * they stand, they wait for this node's own state machine like any others.
 */
export class Forwarding<Result> {
  readonly #proposals: Proposals<Result>;
  readonly #pending = new Map<number, Forwarded<Result>>();
  #nextRequestId: number;
  #count = 0;

  /** @param firstRequestId - elsewhere in each process, or a late answer to an earlier process could pass for one to this. */
  constructor(proposals: Proposals<Result>, firstRequestId: number) {
    this.#proposals = proposals;
    this.#nextRequestId = firstRequestId;
  }

  /** How many callers wait. */
  get count(): number {
    return this.#count;
  }

  /** Notes a batch on its way to the leader of `term`. @returns the id that its answer will carry. */
  add(leaderId: NodeId, term: Term, { waiters }: Batch<Result>): number {
    const requestId = this.#nextRequestId++;
    this.#pending.set(requestId, { leaderId, term, waiters });
    this.#count += waiters.length;
    return requestId;
  }

  answered(message: ForwardProposalsResponse): void {
    const forwarded = this.#pending.get(message.requestId);
    if (forwarded === undefined || forwarded.leaderId !== message.from) return;
    this.#remove(message.requestId, forwarded);
    const { count, firstIndex, entryTerm: term, refusal } = message;
    // Whoever refuses because it does not lead is not whom to ask.
    const leaderId = refusal === "notLeader" || refusal === "removed" ? 0 : message.from;
    this.#proposals.place(forwarded.waiters, { count, firstIndex, term, refusal }, leaderId);
  }

  /** What was sent to others than this leader, or to it when it led an earlier term, may never be answered. */
  follow(leaderId: NodeId, term: Term): void {
    this.#abandon((forwarded) => forwarded.leaderId !== leaderId || forwarded.term !== term);
  }

  unreachable(peer: NodeId): void {
    this.#abandon((forwarded) => forwarded.leaderId === peer);
  }

  expire(now: number): void {
    for (const [requestId, forwarded] of this.#pending) {
      for (const waiter of forwarded.waiters) if (waiter.deadline <= now) waiter.reject(timeoutError("commit"));
      if (forwarded.waiters.every(({ settled }) => settled)) this.#remove(requestId, forwarded);
    }
  }

  rejectAll(error: (outcome: "unknown") => RaftError): void {
    for (const { waiters } of this.#pending.values()) for (const waiter of waiters) waiter.reject(error("unknown"));
    this.#pending.clear();
    this.#count = 0;
  }

  #abandon(isLost: (forwarded: Forwarded<Result>) => boolean): void {
    for (const [requestId, forwarded] of this.#pending) {
      if (!isLost(forwarded)) continue;
      this.#remove(requestId, forwarded);
      const message = "The leader that the proposal was passed on to cannot be heard any more; it may still be committed.";
      const error = new RaftError("OCTOPII_RAFT_LEADERSHIP_LOST", message, { outcome: "unknown" });
      for (const waiter of forwarded.waiters) waiter.reject(error);
    }
  }

  #remove(requestId: number, { waiters }: Forwarded<Result>): void {
    this.#pending.delete(requestId);
    this.#count -= waiters.length;
  }
}
