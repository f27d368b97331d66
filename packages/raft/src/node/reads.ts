import type { NodeId } from "@octopii/interfaces";
import type { ReadReady } from "../core/input-output.js";
import { RaftError } from "../errors.js";
import type { Index } from "../types.js";
import { timeoutError } from "./proposals.js";
import type { Waiter } from "./waiter.js";

interface AskedRead {
  readonly waiter: Waiter<Index>;
  readonly askedAt: number;
}

/** Linearizable reads on their way: first for their read index, then for the state machine to reach it. */
export class Reads {
  readonly #retryMs: number;
  #nextId = 1;
  #queued: number[] = [];
  readonly #asked = new Map<number, AskedRead>();
  #awaitingApply: { waiter: Waiter<Index>; index: Index }[] = [];

  /** @param retryMs - a question or its answer can be lost: ask again after this. */
  constructor(retryMs: number) {
    this.#retryMs = retryMs;
  }

  get count(): number {
    return this.#asked.size + this.#awaitingApply.length;
  }

  get hasQueued(): boolean {
    return this.#queued.length > 0;
  }

  enqueue(waiter: Waiter<Index>, now: number): void {
    const id = this.#nextId++;
    this.#asked.set(id, { waiter, askedAt: now });
    this.#queued.push(id);
  }

  takeQueued(): number[] {
    const queued = this.#queued;
    this.#queued = [];
    return queued;
  }

  ready(read: ReadReady, appliedIndex: Index, leaderId: NodeId): void {
    const asked = this.#asked.get(read.id);
    if (asked === undefined) return;
    this.#asked.delete(read.id);
    if (read.index === null) {
      const message = "No leader could confirm the read; try again when there is one.";
      asked.waiter.reject(new RaftError("OCTOPII_RAFT_NOT_LEADER", message, { outcome: "failed", details: { leaderId } }));
    } else if (read.index <= appliedIndex) asked.waiter.resolve(read.index);
    else this.#awaitingApply.push({ waiter: asked.waiter, index: read.index });
  }

  appliedTo(appliedIndex: Index): void {
    if (this.#awaitingApply.length === 0) return;
    const waiting = this.#awaitingApply;
    this.#awaitingApply = [];
    for (const read of waiting) {
      if (read.index <= appliedIndex) read.waiter.resolve(read.index);
      else this.#awaitingApply.push(read);
    }
  }

  /** Rejects what is past its deadline, and asks again what has had no answer for long. */
  expire(now: number): void {
    for (const [id, { waiter, askedAt }] of this.#asked) {
      if (waiter.deadline <= now) waiter.reject(timeoutError("failed"));
      if (waiter.settled) this.#asked.delete(id);
      else if (now - askedAt >= this.#retryMs) {
        this.#asked.delete(id);
        this.enqueue(waiter, now);
      }
    }
    for (const { waiter } of this.#awaitingApply) if (waiter.deadline <= now) waiter.reject(timeoutError("failed"));
    this.#awaitingApply = this.#awaitingApply.filter(({ waiter }) => !waiter.settled);
  }

  rejectAll(error: RaftError): void {
    for (const { waiter } of this.#asked.values()) waiter.reject(error);
    for (const { waiter } of this.#awaitingApply) waiter.reject(error);
    this.#queued = [];
    this.#asked.clear();
    this.#awaitingApply = [];
  }
}
