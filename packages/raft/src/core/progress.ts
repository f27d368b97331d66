import type { NodeId } from "@octopii/interfaces";
import type { Index } from "../types.js";
import { Inflights } from "./inflights.js";
import type { PeerProgress } from "./input-output.js";

/**
 * How the leader feeds a follower. `probe`: the match is unknown, so one message at a time. `replicate`: entries stream ahead of
 * acknowledgements. `snapshot`: it needs what the log no longer has, and nothing is sent until the snapshot has arrived or failed.
 */
export type ReplicationState = "probe" | "replicate" | "snapshot";

/**
 * What is due to a follower at the end of the step: nothing, whatever entries it lacks, these or a new commit index, which may linger until the
 * next step, or a message even without entries.
 */
export type SendDue = "nothing" | "entries" | "commit" | "always";

/** What the leader knows of one follower. Source: Raft §5.3, with flow control. */
export class Progress {
  readonly id: NodeId;
  readonly inflights: Inflights;
  isLearner: boolean;
  state: ReplicationState = "probe";
  /** The highest index known to be durable on the follower and equal to ours. */
  matchIndex: Index;
  /** The next index to send. */
  nextIndex: Index;
  /** It answered since the last check of the quorum, or was added since: a newcomer has until the next one to answer. */
  recentlyActive = false;
  /** It was heard of since the last check. */
  #heard = false;
  /** It was heard of between the last check and the one before. */
  #heardBefore = false;
  /** In `probe`: the one message is out. In `replicate`: the window is full. Lifted by a response or a heartbeat's. */
  flowPaused = false;
  /** In `snapshot`: what it was sent; otherwise 0. */
  pendingSnapshot: Index = 0;
  /** The highest commit index that a message in this state has told it. */
  sentCommit: Index = 0;
  /** Entries for it are being read from storage; 0 for none, otherwise the first index asked for. */
  awaitingReadFrom: Index = 0;
  /** The latest read round that it confirmed. */
  confirmedReadRound = 0;
  due: SendDue = "nothing";

  constructor(id: NodeId, isLearner: boolean, matchIndex: Index, nextIndex: Index, inflightCountMax: number, inflightBytesMax: number) {
    this.id = id;
    this.isLearner = isLearner;
    this.matchIndex = matchIndex;
    this.nextIndex = nextIndex;
    this.inflights = new Inflights(inflightCountMax, inflightBytesMax);
  }

  /** Nothing may be sent now. */
  get paused(): boolean {
    return this.state === "snapshot" || this.flowPaused;
  }

  /** The quorum was checked: activity counts anew. */
  beginActivityPeriod(isOwn: boolean): void {
    this.#heardBefore = this.#heard;
    this.#heard = false;
    this.recentlyActive = isOwn;
  }

  /** It answered. */
  answered(): void {
    this.recentlyActive = true;
    this.#heard = true;
  }

  /** It has just voted for us: a sign of life, though no answer to anything that we sent as a leader. */
  heardOf(): void {
    this.#heard = true;
  }

  /** It was heard of within the last election timeout, or a little before. */
  get heardLately(): boolean {
    return this.#heard || this.#heardBefore;
  }

  becomeProbe(): void {
    // After a snapshot, what it holds is known only if the snapshot arrived.
    const nextIndex = this.state === "snapshot" ? Math.max(this.matchIndex, this.pendingSnapshot) + 1 : this.matchIndex + 1;
    this.#enter("probe", nextIndex);
    this.sentCommit = Math.min(this.sentCommit, this.nextIndex - 1);
  }

  becomeReplicate(): void {
    this.#enter("replicate", this.matchIndex + 1);
  }

  becomeSnapshot(index: Index): void {
    this.#enter("snapshot", index + 1);
    this.pendingSnapshot = index;
    this.sentCommit = index;
  }

  #enter(state: ReplicationState, nextIndex: Index): void {
    this.state = state;
    this.nextIndex = nextIndex;
    this.flowPaused = false;
    this.pendingSnapshot = 0;
    this.awaitingReadFrom = 0;
    this.inflights.reset();
  }

  /** The follower holds everything up to `index`. @returns whether that is news. */
  matchedTo(index: Index): boolean {
    if (index <= this.matchIndex) return false;
    this.matchIndex = index;
    this.nextIndex = Math.max(this.nextIndex, index + 1);
    this.flowPaused = false;
    return true;
  }

  /**
   * The follower refused an append after `rejectedIndex`. @returns false for a stale answer, which changes nothing.
   * @param hint - where its log might match ours.
   */
  steppedBack(rejectedIndex: Index, hint: Index): boolean {
    // It is older than what the follower has acknowledged since. Or the follower has lost that, and nothing that we could send would help.
    if (rejectedIndex <= this.matchIndex) return false;
    if (this.state === "replicate") {
      this.nextIndex = this.matchIndex + 1;
    } else {
      // While probing, only the answer to the latest probe counts.
      if (this.nextIndex - 1 !== rejectedIndex) return false;
      this.nextIndex = Math.max(Math.min(rejectedIndex, hint + 1), this.matchIndex + 1);
      this.flowPaused = false;
    }
    // What we told it of commits it probably could not use.
    this.sentCommit = Math.min(this.sentCommit, this.nextIndex - 1);
    return true;
  }

  /** Whether telling it of `commitIndex` could move its own: it has not been told of all that it can use. */
  canBumpCommit(commitIndex: Index): boolean {
    return commitIndex > this.sentCommit && this.sentCommit < this.nextIndex - 1;
  }

  /** Entries up to `lastIndex`, and `commitIndex`, were sent. */
  sent(count: number, lastIndex: Index, bytes: number, commitIndex: Index): void {
    if (this.state === "replicate") {
      if (count > 0) {
        this.nextIndex = lastIndex + 1;
        this.inflights.add(lastIndex, bytes);
      }
      this.flowPaused = this.inflights.isFull;
    } else if (count > 0) {
      this.flowPaused = true;
    }
    this.sentCommit = commitIndex;
  }

  /** Its state as plain data, for status and trace. */
  view(): PeerProgress {
    const { id, isLearner, matchIndex, nextIndex, state, recentlyActive, paused, pendingSnapshot, inflights } = this;
    return {
      id,
      isLearner,
      matchIndex,
      nextIndex,
      state,
      recentlyActive,
      paused,
      pendingSnapshot,
      inflight: inflights.count,
      isInflightFull: inflights.isFull,
    };
  }
}
