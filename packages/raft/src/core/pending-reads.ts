import type { NodeId } from "@octopii/interfaces";
import type { Index } from "../types.js";
import type { ReadReady } from "./input-output.js";
import type { Lease } from "./lease.js";

/** A read on the leader that waits for a quorum to confirm its round. */
export interface PendingRead {
  readonly from: NodeId;
  readonly id: number;
  readonly index: Index;
  readonly round: number;
}

/**
 * Reads that wait: on the leader for its quorum, on a follower for the leader's answer. Reads of one step share a round, so one
 * heartbeat confirms them all. Source: thesis §6.4.
 */
export class PendingReads {
  readonly #max: number;
  readonly lease: Lease;
  #confirming: PendingRead[] = [];
  /** Reads that came before this leader committed an entry of its own term: it may not know the latest commit index yet. */
  #early: { from: NodeId; id: number }[] = [];
  readonly #forwarded = new Set<number>();
  /** Counts the rounds of this leader; heartbeats carry it. */
  round = 0;

  constructor(max: number, lease: Lease) {
    this.#max = max;
    this.lease = lease;
  }

  get size(): number {
    return this.#confirming.length + this.#early.length + this.#forwarded.size;
  }

  get isFull(): boolean {
    return this.size >= this.#max;
  }

  /** On the leader. The caller begins the round after the step's last read. */
  addConfirming(from: NodeId, id: number, index: Index): void {
    this.#confirming.push({ from, id, index, round: this.round + 1 });
  }

  addEarly(from: NodeId, id: number): void {
    this.#early.push({ from, id });
  }

  takeEarly(): { from: NodeId; id: number }[] {
    const early = this.#early;
    this.#early = [];
    return early;
  }

  addForwarded(id: number): void {
    this.#forwarded.add(id);
  }

  /** @returns whether `id` was waiting for the leader's answer. */
  takeForwarded(id: number): boolean {
    return this.#forwarded.delete(id);
  }

  /** Whether reads were added since the last round began. */
  get needsRound(): boolean {
    const { length } = this.#confirming;
    return length > 0 && (this.#confirming[length - 1] as PendingRead).round > this.round;
  }

  /** Removes and gives the reads whose round a quorum has confirmed. */
  takeConfirmed(round: number): PendingRead[] {
    let count = 0;
    while (count < this.#confirming.length && (this.#confirming[count] as PendingRead).round <= round) count++;
    return count === 0 ? [] : this.#confirming.splice(0, count);
  }

  /** The role or the leader changed: own reads are refused at once, those of others run into their own leader's change. */
  refuseAll(ready: ReadReady[]): void {
    this.lease.end();
    for (const id of this.#forwarded) ready.push({ id, index: null, refusal: "noLeader" });
    this.#forwarded.clear();
    this.#refuse(this.#confirming, ready);
    this.#refuse(this.#early, ready);
    this.#confirming = [];
    this.#early = [];
  }

  #refuse(reads: readonly { from: NodeId; id: number }[], ready: ReadReady[]): void {
    for (const read of reads) if (read.from === 0) ready.push({ id: read.id, index: null, refusal: "noLeader" });
  }
}
