import type { MetricLabels, Metrics, NodeId } from "@octopii/interfaces";
import type { Configuration } from "../configuration/index.js";
import type { RaftStatus } from "../core/input-output.js";
import type { MessageType } from "../messages.js";
import type { RaftNodeEvent } from "../node/node-ports.js";
import type { TraceEvent } from "../trace.js";
import type { Entry, Index, Role, SnapshotMetadata } from "../types.js";
import { Instruments } from "./instruments.js";
import { messageTypes } from "./label-values.js";

/** Turns what a replica tells of itself into metrics. */
export interface RaftMetrics {
  /** Takes one event; give it to `openRaftNode`, or to a `RaftCore` as its trace sink. Allocates nothing. */
  readonly observe: (event: RaftNodeEvent) => void;
  /**
   * Sets all gauges from a status: once after the node was opened, since what it started from is no event, and at each scrape for what no event
   * tells of, such as how far followers are behind.
   */
  readonly sample: (status: RaftStatus) => void;
}

/**
 * Metrics of one replica. Their names begin with `octopii_raft_`; every label has a fixed list of values, whatever peers send.
 * @param labels - for all of them, such as the node and the group.
 */
export function createRaftMetrics(metrics: Metrics, labels: MetricLabels = {}): RaftMetrics {
  const recorder = new Recorder(new Instruments(metrics, labels));
  return { observe: (event) => recorder.observe(event), sample: (status) => recorder.sample(status) };
}

class Recorder {
  readonly #to: Instruments;
  #role: Role = "follower";
  #leaderId: NodeId = 0;
  #commitIndex: Index = 0;

  constructor(instruments: Instruments) {
    this.#to = instruments;
  }

  sample(status: RaftStatus): void {
    const to = this.#to;
    this.#setRole(status.role, status.currentTerm);
    this.#setLeader(status.leaderId);
    this.#setConfiguration(status.configuration);
    to.lastIndex.set(status.lastIndex);
    to.durableIndex.set(status.durableIndex);
    to.commitIndex.set(status.commitIndex);
    this.#commitIndex = status.commitIndex;
    to.appliedIndex.set(status.appliedIndex);
    to.compactedIndex.set(status.compactedIndex);
    to.snapshotIndex.set(status.snapshotIndex);
    const followers = { probe: 0, replicate: 0, snapshot: 0 };
    let lag = 0;
    for (const { id, state, matchIndex } of status.progress) {
      if (id === status.id) continue;
      followers[state]++;
      lag = Math.max(lag, status.lastIndex - matchIndex);
    }
    to.followers.probe.set(followers.probe);
    to.followers.replicate.set(followers.replicate);
    to.followers.snapshot.set(followers.snapshot);
    to.followerLag.set(lag);
  }

  observe(event: RaftNodeEvent): void {
    switch (event.type) {
      case "applied":
        return this.#applied(event.entries);
      case "restored":
        return this.#to.appliedIndex.set(event.snapshot.index);
      case "stopped":
        return this.#to.stopped.set(1);
      case "noMessage":
        this.#to.drops.malformed.add(1);
        return this.#to.droppedMessages.unknown.add(1);
      default:
        return this.#traced(event);
    }
  }

  #traced(event: TraceEvent): void {
    const to = this.#to;
    switch (event.type) {
      case "restore":
        return this.#restored(event);
      case "role":
        if (event.role === "leader") to.electionsWon.add(1);
        this.#setRole(event.role, event.term);
        return this.#setLeader(event.leaderId);
      case "leader":
        return this.#setLeader(event.leaderId);
      case "campaign":
        return to.campaigns[event.ballot][event.kind].add(1);
      case "campaignRefused":
        return to.campaignsRefused[event.obstacle].add(1);
      case "vote":
        return to.votes[event.ballot][event.granted ? "granted" : "refused"].add(1);
      case "voteCounted":
        return to.votesCounted[event.ballot][event.granted ? "granted" : "refused"].add(1);
      case "shielded":
        return to.candidatesShielded[event.message.type === "PreVote" ? "preVote" : "vote"].add(1);
      case "quorumLost":
        return to.quorumsLost.add(1);
      case "laterTerm":
        return to.laterTerms.add(1);
      case "transfer":
        return to.transfers[event.phase].add(1);
      case "voteRequested":
        // A campaign says it already.
        return;
      default:
        return this.#replicated(event);
    }
  }

  #replicated(event: Exclude<TraceEvent, ElectionLike>): void {
    const to = this.#to;
    switch (event.type) {
      case "append":
        return this.#appended(event.entries);
      case "truncate":
        to.entriesTruncated.add(event.lastIndex - event.index + 1);
        return to.lastIndex.set(event.index - 1);
      case "commit":
        return this.#committed(event.index);
      case "appendRefused":
        return to.appendsRefused.add(1);
      case "appendRejected":
        return to.appendsRejected.add(1);
      case "progress":
        return to.progress[event.cause].add(1);
      case "proposalsDropped":
        return to.proposalsDropped[event.refusal].add(event.count);
      case "configuration":
        to.changes.applied.add(1);
        to.configurationIndex.set(event.index);
        return this.#setConfiguration(event.configuration);
      case "changeProposed":
        return to.changes.proposed.add(1);
      case "changeRefused":
        to.changesRefused[event.refusal].add(1);
        return to.changes.refused.add(1);
      case "changeVoid":
        return to.changes.void.add(1);
      case "autoLeave":
        return to.changes.leftJoint.add(1);
      case "snapshot":
        return this.#snapshot(event.phase, event.snapshot);
      case "compact":
        to.compactions.add(1);
        return to.compactedIndex.set(event.index);
      case "drop":
        to.drops[event.reason].add(1);
        return to.droppedMessages[typeOf(event.message.type)].add(1);
    }
  }

  #restored({ hardState, lastIndex, terms }: TraceEvent & { type: "restore" }): void {
    const to = this.#to;
    this.#setRole("follower", hardState.currentTerm);
    to.lastIndex.set(lastIndex);
    to.durableIndex.set(lastIndex);
    to.commitIndex.set(hardState.commitIndex);
    this.#commitIndex = hardState.commitIndex;
    to.compactedIndex.set(terms[0]?.firstIndex ?? 0);
    to.stopped.set(0);
  }

  #setRole(role: Role, term: number): void {
    this.#to.role[this.#role].set(0);
    this.#to.role[role].set(1);
    this.#role = role;
    this.#to.term.set(term);
  }

  #setLeader(leaderId: NodeId): void {
    this.#to.leaderId.set(leaderId);
    // Nobody in between two leaders is no change of its own.
    if (leaderId === 0 || leaderId === this.#leaderId) return;
    this.#leaderId = leaderId;
    this.#to.leaderChanges.add(1);
  }

  #appended(entries: readonly Entry[]): void {
    const to = this.#to;
    let bytes = 0;
    for (const { kind, data } of entries) {
      to.entriesAppended[kind].add(1);
      bytes += data.length;
    }
    to.bytesAppended.add(bytes);
    to.appendBatch.record(entries.length);
    const last = entries[entries.length - 1];
    if (last !== undefined) to.lastIndex.set(last.index);
  }

  #committed(index: Index): void {
    this.#to.entriesCommitted.add(Math.max(0, index - this.#commitIndex));
    this.#to.commitBatch.record(index - this.#commitIndex);
    this.#commitIndex = index;
    this.#to.commitIndex.set(index);
  }

  #applied(entries: readonly Entry[]): void {
    const last = entries[entries.length - 1];
    if (last === undefined) return;
    this.#to.entriesApplied.add(entries.length);
    this.#to.appliedIndex.set(last.index);
  }

  #snapshot(phase: keyof Instruments["snapshots"], { index }: SnapshotMetadata): void {
    const to = this.#to;
    to.snapshots[phase].add(1);
    if (phase === "available" || phase === "restored") to.snapshotIndex.set(index);
    if (phase !== "restored") return;
    to.lastIndex.set(index);
    to.compactedIndex.set(index);
    to.commitIndex.set(index);
    this.#commitIndex = index;
  }

  #setConfiguration({ voters, votersOutgoing, learners, learnersNext }: Configuration): void {
    const { members } = this.#to;
    members.voter.set(voters.length);
    members.outgoingVoter.set(votersOutgoing.length);
    members.learner.set(learners.length);
    members.nextLearner.set(learnersNext.length);
  }
}

/** Events that are handled before the rest. */
type ElectionLike = Extract<
  TraceEvent,
  {
    readonly type:
      | "restore"
      | "role"
      | "leader"
      | "campaign"
      | "campaignRefused"
      | "vote"
      | "voteCounted"
      | "voteRequested"
      | "shielded"
      | "quorumLost"
      | "laterTerm"
      | "transfer";
  }
>;

/** A dropped message may be of any type at all. */
function typeOf(type: MessageType): MessageType | "unknown" {
  return Object.hasOwn(messageTypes, type) ? type : "unknown";
}
