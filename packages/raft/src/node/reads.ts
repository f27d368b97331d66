import type { NodeId } from "@octopii/interfaces";
import type { ReadReady, ReadRequest } from "../core/input-output.js";
import type { RaftError } from "../errors.js";
import type { Index } from "../types.js";
import { busy, timeoutError, unconfirmedRead } from "./refusals.js";
import type { Waiter } from "./waiter.js";

interface AskedRead {
  readonly waiter: Waiter<Index>;
  readonly askedAt: number;
  readonly lease: boolean;
}

/** Linearizable reads on their way: first for their read index, then for the state machine to reach it. */
export class Reads {
  readonly #retryMs: number;
  #nextId: number;
  #queued: ReadRequest[] = [];
  #abandoned: number[] = [];
  readonly #asked = new Map<number, AskedRead>();
  #awaitingApply: { waiter: Waiter<Index>; index: Index }[] = [];

  /**
   * @param retryMs - a question or its answer can be lost: ask again after this.
   * @param firstId - where ids begin: elsewhere in each process, or a late answer to an earlier process could pass for one to this.
   */
  constructor(retryMs: number, firstId: number) {
    this.#retryMs = retryMs;
    this.#nextId = firstId;
  }

  get count(): number {
    return this.#asked.size + this.#awaitingApply.length;
  }

  get hasQueued(): boolean {
    return this.#queued.length > 0;
  }

  enqueue(waiter: Waiter<Index>, now: number, lease: boolean): void {
    this.#ask(this.#nextId++, waiter, now, lease);
  }

  #ask(id: number, waiter: Waiter<Index>, askedAt: number, lease: boolean): void {
    this.#asked.set(id, { waiter, askedAt, lease });
    this.#queued.push({ id, lease });
  }

  /** Reads that the core may forget. */
  takeAbandoned(): number[] {
    const abandoned = this.#abandoned;
    if (abandoned.length > 0) this.#abandoned = [];
    return abandoned;
  }

  takeQueued(): ReadRequest[] {
    const queued = this.#queued;
    if (queued.length > 0) this.#queued = [];
    return queued;
  }

  ready(read: ReadReady, appliedIndex: Index, leaderId: NodeId): void {
    const asked = this.#asked.get(read.id);
    if (asked === undefined) return;
    this.#asked.delete(read.id);
    if (read.refusal !== null) asked.waiter.reject(read.refusal === "noLeader" ? unconfirmedRead(leaderId) : busy("reads"));
    else if (read.index <= appliedIndex) asked.waiter.resolve(read.index);
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
    for (const [id, { waiter, askedAt, lease }] of this.#asked) {
      if (waiter.deadline <= now) waiter.reject(timeoutError("confirmation"));
      if (waiter.settled) {
        this.#asked.delete(id);
        this.#abandoned.push(id);
      } else if (now - askedAt >= this.#retryMs) this.#ask(id, waiter, now, lease);
    }
    for (const { waiter } of this.#awaitingApply) if (waiter.deadline <= now) waiter.reject(timeoutError("apply"));
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
