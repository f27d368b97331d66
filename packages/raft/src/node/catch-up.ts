import type { NodeId } from "@octopii/interfaces";
import type { RaftStatus } from "../core/input-output.js";
import { RaftError } from "../errors.js";
import type { Index } from "../types.js";
import { timeoutError } from "./refusals.js";
import type { Waiter } from "./waiter.js";

interface Learner {
  readonly id: NodeId;
  readonly waiter: Waiter<void>;
  round: number;
  roundStartedAt: number;
  /** The round is over when the learner holds everything up to here. */
  roundTarget: Index;
}

/**
 * Waits until learners are close enough to the leader to be given a vote: until a round, in which a learner receives everything that the
 * leader held when the round began, takes less than an election timeout. A voter that lags by more could leave the group unable to commit.
 * Source: thesis §4.2.1.
 */
export class CatchUp {
  readonly #electionTimeoutMs: number;
  readonly #roundsMax: number;
  #learners: Learner[] = [];

  constructor(electionTimeoutMs: number, roundsMax: number) {
    this.#electionTimeoutMs = electionTimeoutMs;
    this.#roundsMax = roundsMax;
  }

  get count(): number {
    return this.#learners.length;
  }

  /** @param lastIndex - of the leader's log, now. */
  add(id: NodeId, waiter: Waiter<void>, lastIndex: Index, now: number): void {
    this.#learners.push({ id, waiter, round: 1, roundStartedAt: now, roundTarget: lastIndex });
  }

  /** Called with every turn in which acknowledgements may have come. */
  check(status: RaftStatus, now: number): void {
    for (const learner of this.#learners) this.#checkOne(learner, status, now);
    this.#learners = this.#learners.filter(({ waiter }) => !waiter.settled);
  }

  #checkOne(learner: Learner, { role, leaderId, progress, lastIndex }: RaftStatus, now: number): void {
    const { id, waiter } = learner;
    if (role !== "leader") {
      const message = "Leadership was lost while the learner caught up; it stays a learner: ask the new leader.";
      return waiter.reject(new RaftError("OCTOPII_RAFT_NOT_LEADER", message, { outcome: "failed", details: { leaderId } }));
    }
    const own = progress.find((peer) => peer.id === id);
    if (own === undefined) return waiter.reject(catchUpFailed(`Node ${id} is no member any more.`));
    if (own.matchIndex < learner.roundTarget) return;
    if (now - learner.roundStartedAt <= this.#electionTimeoutMs) return waiter.resolve();
    if (learner.round >= this.#roundsMax) {
      const what = `Node ${id} did not catch up with the leader in ${learner.round} rounds; it stays a learner.`;
      return waiter.reject(catchUpFailed(`${what} Try again when there is less load, or see to its disk and network.`));
    }
    learner.round++;
    learner.roundStartedAt = now;
    learner.roundTarget = lastIndex;
  }

  expire(now: number): void {
    for (const { waiter } of this.#learners) if (waiter.deadline <= now) waiter.reject(timeoutError("catchUp"));
    this.#learners = this.#learners.filter(({ waiter }) => !waiter.settled);
  }

  rejectAll(error: RaftError): void {
    for (const { waiter } of this.#learners) waiter.reject(error);
    this.#learners = [];
  }
}

function catchUpFailed(message: string): RaftError {
  return new RaftError("OCTOPII_RAFT_CATCH_UP_FAILED", message, { outcome: "failed" });
}
