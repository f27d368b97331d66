import type { NodeId } from "@octopii/interfaces";
import type { Index } from "../types.js";
import { Inflights } from "./inflights.js";

/**
 * How the leader feeds a follower. `probe`: the match is unknown, so one message at a time. `replicate`: entries stream ahead of
 * acknowledgements.
 */
export type ReplicationState = "probe" | "replicate";

/** What the leader knows of one follower. Source: Raft §5.3, with flow control. */
export class Progress {
  readonly id: NodeId;
  readonly inflights: Inflights;
  state: ReplicationState = "probe";
  /** The highest index known to be durable on the follower and equal to ours. */
  matchIndex: Index;
  /** The next index to send. */
  nextIndex: Index;
  /** It answered since the last check of the quorum. */
  recentlyActive = false;
  /** In `probe`: the one message is out. In `replicate`: the window is full. Lifted by a response or a heartbeat's. */
  paused = false;
  /** Entries for it are being read from storage; 0 for none, otherwise the first index asked for. */
  awaitingReadFrom: Index = 0;
  /** The latest read round that it confirmed. */
  confirmedReadRound = 0;

  constructor(id: NodeId, matchIndex: Index, nextIndex: Index, inflightCountMax: number, inflightBytesMax: number) {
    this.id = id;
    this.matchIndex = matchIndex;
    this.nextIndex = nextIndex;
    this.inflights = new Inflights(inflightCountMax, inflightBytesMax);
  }

  becomeProbe(): void {
    this.state = "probe";
    this.nextIndex = this.matchIndex + 1;
    this.#restart();
  }

  becomeReplicate(): void {
    this.state = "replicate";
    this.nextIndex = this.matchIndex + 1;
    this.#restart();
  }

  #restart(): void {
    this.paused = false;
    this.awaitingReadFrom = 0;
    this.inflights.reset();
  }

  /** The follower holds everything up to `index`. @returns whether that is news. */
  matchedTo(index: Index): boolean {
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    if (index <= this.matchIndex) return false;
    this.matchIndex = index;
    this.paused = false;
    return true;
  }

  /**
   * The follower refused an append after `rejectedIndex`. @returns false for a stale answer, which changes nothing.
   * @param hint - where its log might match ours.
   */
  steppedBack(rejectedIndex: Index, hint: Index): boolean {
    if (this.state === "replicate") {
      // Refusals up to the match are older than what it has acknowledged since.
      if (rejectedIndex <= this.matchIndex) return false;
      this.nextIndex = this.matchIndex + 1;
      return true;
    }
    // While probing, only the answer to the latest probe counts.
    if (this.nextIndex - 1 !== rejectedIndex) return false;
    this.nextIndex = Math.max(Math.min(rejectedIndex, hint + 1), this.matchIndex + 1);
    this.paused = false;
    return true;
  }

  /** Entries up to `lastIndex` were sent. */
  sent(count: number, lastIndex: Index, bytes: number): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.nextIndex = lastIndex + 1;
        this.inflights.add(lastIndex, bytes);
      }
      this.paused = this.inflights.isFull;
    } else if (count > 0) {
      this.paused = true;
    }
  }
}
