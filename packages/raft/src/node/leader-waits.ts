import type { NodeId } from "@octopii/interfaces";
import type { RaftError } from "../errors.js";
import type { TraceEvent } from "../trace.js";
import { timeoutError } from "./refusals.js";
import type { Waiter } from "./waiter.js";

/** Callers that wait until somebody leads. */
export class LeaderWaits {
  #waiters: Waiter<NodeId>[] = [];

  get count(): number {
    return this.#waiters.length;
  }

  add(waiter: Waiter<NodeId>): void {
    this.#waiters.push(waiter);
  }

  observe(event: TraceEvent): void {
    if (this.#waiters.length === 0 || (event.type !== "role" && event.type !== "leader") || event.leaderId === 0) return;
    const { leaderId } = event;
    this.#takeAll((waiter) => waiter.resolve(leaderId));
  }

  expire(now: number): void {
    this.#waiters = this.#waiters.filter((waiter) => !waiter.expire(now, () => timeoutError("leader")));
  }

  rejectAll(error: RaftError): void {
    this.#takeAll((waiter) => waiter.reject(error));
  }

  #takeAll(settle: (waiter: Waiter<NodeId>) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) settle(waiter);
  }
}
