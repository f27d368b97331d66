import type { NodeId, Outcome } from "@octopii/interfaces";
import { RaftError } from "../errors.js";
import type { TraceEvent } from "../trace.js";
import { timeoutError } from "./refusals.js";
import type { Waiter } from "./waiter.js";

interface PendingTransfer {
  readonly target: NodeId;
  readonly waiter: Waiter<void>;
  /** Until when to wait for a leader; null while one is known. */
  leaderBy: number | null;
}

/** Callers that wait for leadership to pass to somebody. */
export class Transfers {
  readonly #electionTimeoutMs: number;
  #pending: PendingTransfer[] = [];
  /** The leader stepped down, and nobody is known to lead. */
  #isLeaderless = false;

  constructor(electionTimeoutMs: number) {
    this.#electionTimeoutMs = electionTimeoutMs;
  }

  get count(): number {
    return this.#pending.length;
  }

  add(target: NodeId, waiter: Waiter<void>): void {
    this.#isLeaderless = false;
    this.#pending.push({ target, waiter, leaderBy: null });
  }

  /** Another target was asked for before the core knew of this one. */
  replaced(target: NodeId): void {
    this.#phase("replaced", target);
  }

  observe(event: TraceEvent): void {
    if (this.#pending.length === 0) return;
    if (event.type === "role" || event.type === "leader") this.#follow(event.leaderId);
    else if (event.type === "transfer") this.#phase(event.phase, event.target);
  }

  /** Whoever leads now, all transfers have come to their end. */
  #follow(leaderId: NodeId): void {
    this.#isLeaderless = leaderId === 0;
    if (leaderId === 0) return;
    this.#settle(
      () => true,
      ({ target, waiter }) => (target === leaderId ? waiter.resolve() : waiter.reject(failed(`node ${leaderId} was elected instead`))),
    );
  }

  #phase(phase: (TraceEvent & { type: "transfer" })["phase"], target: NodeId): void {
    const why =
      phase === "refused"
        ? "it is no voter, or leads already"
        : phase === "aborted"
          ? "it was not elected within an election timeout, or is no voter any more"
          : phase === "replaced"
            ? "another transfer was asked for"
            : null;
    if (why === null) return;
    this.#settle(
      (pending) => pending.target === target,
      ({ waiter }) => waiter.reject(failed(why)),
    );
  }

  #settle(isMeant: (pending: PendingTransfer) => boolean, settle: (pending: PendingTransfer) => void): void {
    const meant = this.#pending.filter(isMeant);
    this.#pending = this.#pending.filter((pending) => !isMeant(pending));
    for (const pending of meant) settle(pending);
  }

  expire(now: number): void {
    if (this.#isLeaderless) this.#expireLeaderless(now);
    this.#settle(
      ({ waiter }) => waiter.settled || waiter.deadline <= now,
      ({ waiter }) => waiter.reject(timeoutError("transfer")),
    );
  }

  /** A leader that stepped down cannot hand anything over. Whether it had asked the target before, and it is elected yet, nobody here knows. */
  #expireLeaderless(now: number): void {
    for (const pending of this.#pending) pending.leaderBy ??= now + this.#electionTimeoutMs;
    this.#settle(
      ({ leaderBy }) => leaderBy !== null && leaderBy <= now,
      ({ waiter }) => waiter.reject(failed("the leader stepped down before, and nobody is known to lead", "unknown")),
    );
  }

  rejectAll(error: RaftError): void {
    this.#settle(
      () => true,
      ({ waiter }) => waiter.reject(error),
    );
  }
}

function failed(why: string, outcome: Outcome = "failed"): RaftError {
  return new RaftError("OCTOPII_RAFT_TRANSFER_FAILED", `Leadership was not handed over: ${why}.`, { outcome });
}
