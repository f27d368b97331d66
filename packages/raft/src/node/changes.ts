import type { NodeId } from "@octopii/interfaces";
import { type Configuration, isJoint } from "../configuration/index.js";
import type { ChangeRefusal, ChangeRequest, ChangeResult } from "../core/input-output.js";
import { RaftError, type RaftErrorCode } from "../errors.js";
import type { Entry, Index, Term } from "../types.js";
import { leadershipLost, resultMissed, timeoutError } from "./refusals.js";
import type { Waiter } from "./waiter.js";

interface Change {
  readonly request: ChangeRequest;
  readonly waiter: Waiter<Configuration>;
}

interface AppendedChange extends Change {
  readonly index: Index;
  readonly term: Term;
  /** Its entry was applied: it waits for the joint configuration to be left. */
  isApplied: boolean;
}

const codes: Partial<Record<ChangeRefusal, RaftErrorCode>> = {
  notLeader: "OCTOPII_RAFT_NOT_LEADER",
  removed: "OCTOPII_RAFT_NOT_LEADER",
  transferring: "OCTOPII_RAFT_TRANSFERRING",
};

/** Callers that wait for a change of the membership: for its turn, then for it to be applied, and for a joint configuration to be left. */
export class Changes {
  #queued: Change[] = [];
  #judging: Change | null = null;
  #appended: AppendedChange[] = [];

  enqueue(request: ChangeRequest, waiter: Waiter<Configuration>): void {
    this.#queued.push({ request, waiter });
  }

  get count(): number {
    return this.#queued.length + this.#appended.length;
  }

  get hasQueued(): boolean {
    return this.#queued.length > 0;
  }

  /** The next change for the core, which takes one at a time. {@link judged} must follow. */
  submit(): ChangeRequest | undefined {
    this.#queued = this.#queued.filter(({ waiter }) => !waiter.settled);
    this.#judging = this.#queued.shift() ?? null;
    return this.#judging?.request;
  }

  judged(result: ChangeResult, leaderId: NodeId): void {
    const change = this.#judging;
    this.#judging = null;
    if (change === null) return;
    if (result.accepted) {
      this.#appended.push({ ...change, index: result.index, term: result.term, isApplied: false });
      return;
    }
    const { refusal, reason } = result;
    const code = codes[refusal] ?? "OCTOPII_RAFT_CHANGE_REFUSED";
    const message = `The membership was not changed: ${reason}.`;
    change.waiter.reject(new RaftError(code, message, { outcome: "failed", details: { refusal, leaderId } }));
  }

  /** Everything up to `index` was applied, among it these configuration entries, before they take effect. */
  applied(index: Index, entries: readonly Entry[]): void {
    if (this.#appended.length === 0) return;
    for (const change of this.#appended) {
      if (entries.some((entry) => entry.index === change.index && entry.term === change.term)) change.isApplied = true;
    }
    // Another leader's entry took the place, of whatever kind.
    this.#settle(
      (change) => !change.isApplied && change.index <= index,
      ({ waiter }) => waiter.reject(leadershipLost("failed")),
    );
  }

  /** A snapshot took the place of everything up to `index`: what became of changes among it, this node cannot tell. */
  skippedTo(index: Index): void {
    this.#settle(
      (change) => !change.isApplied && change.index <= index,
      ({ waiter }) => waiter.reject(resultMissed()),
    );
  }

  /** `configuration` has taken effect. */
  configured(configuration: Configuration): void {
    this.#settle(
      ({ isApplied, request }) => isApplied && !(isJoint(configuration) && request.change.transition !== "explicit"),
      ({ waiter }) => waiter.resolve(configuration),
    );
  }

  /** A committed change at `index` could not be carried out: an earlier one, unapplied when it was proposed, contradicts it. */
  voided(index: Index, reason: string): void {
    this.#settle(
      (change) => change.index === index,
      ({ waiter }) => {
        const message = `The membership was not changed: ${reason}.`;
        waiter.reject(new RaftError("OCTOPII_RAFT_CHANGE_REFUSED", message, { outcome: "failed", details: { refusal: "changeVoid" } }));
      },
    );
  }

  expire(now: number): void {
    this.#settle(
      ({ waiter }) => waiter.settled || waiter.deadline <= now,
      ({ waiter }) => waiter.reject(timeoutError("commit")),
    );
    for (const { waiter } of this.#queued) if (waiter.deadline <= now) waiter.reject(timeoutError("turn"));
  }

  rejectAll(error: (outcome: "failed" | "unknown") => RaftError): void {
    for (const { waiter } of this.#queued) waiter.reject(error("failed"));
    this.#judging?.waiter.reject(error("unknown"));
    this.#queued = [];
    this.#judging = null;
    this.#settle(
      () => true,
      ({ waiter }) => waiter.reject(error("unknown")),
    );
  }

  #settle(isMeant: (change: AppendedChange) => boolean, settle: (change: AppendedChange) => void): void {
    const meant = this.#appended.filter(isMeant);
    this.#appended = this.#appended.filter((change) => !isMeant(change));
    for (const change of meant) settle(change);
  }
}
