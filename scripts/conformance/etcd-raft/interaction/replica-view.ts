import { LogView } from "./log-view.js";
import type { LastEntry } from "./parcel.js";
import type { Configuration, Entry, HardState, Index, RaftStatus, Role, SnapshotMetadata, Term, TraceEvent } from "./raft.js";

/** What a view starts from. */
export interface ViewStart {
  readonly id: number;
  readonly hardState: HardState;
  readonly configuration: Configuration;
  readonly base: LastEntry;
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMetadata | null;
}

/** A replica as its trace tells of it, event by event: what a log line needs to know besides its event. */
export class ReplicaView {
  readonly id: number;
  role: Role = "follower";
  term: Term;
  votedFor: number;
  leaderId = 0;
  commitIndex: Index;
  configuration: Configuration;
  /** The newest snapshot that followers can be sent. */
  snapshot: SnapshotMetadata | null;
  /** No change may be proposed until this is applied. */
  pendingChangeIndex: Index = 0;
  transferTarget = 0;
  readonly log: LogView;
  /** What the state machine was given, and what it has confirmed. */
  applyingIndex: Index;
  appliedIndex: Index;

  constructor({ id, hardState, configuration, base, entries, snapshot }: ViewStart) {
    this.id = id;
    this.term = hardState.currentTerm;
    this.votedFor = hardState.votedFor;
    this.commitIndex = hardState.commitIndex;
    this.configuration = configuration;
    this.snapshot = snapshot;
    this.log = new LogView(base, entries);
    this.applyingIndex = base.index;
    this.appliedIndex = base.index;
  }

  observe(event: TraceEvent): void {
    switch (event.type) {
      case "role":
        return this.#becomes(event.role, event.term, event.leaderId);
      case "leader":
        this.leaderId = event.leaderId;
        return;
      case "vote":
        if (event.ballot === "vote" && event.granted) this.votedFor = event.candidate;
        return;
      case "append":
        return this.log.append(event.entries);
      case "truncate":
        return this.log.truncate(event.index);
      case "commit":
        this.commitIndex = event.index;
        return;
      case "configuration":
        this.configuration = event.configuration;
        return;
      case "changeProposed":
      case "autoLeave":
        this.pendingChangeIndex = event.index;
        return;
      case "transfer":
        if (event.phase === "started") this.transferTarget = event.target;
        return;
      case "compact":
        return this.log.compact(event.index);
      case "snapshot":
        return this.#snapshot(event.phase, event.snapshot);
      default:
        return;
    }
  }

  #becomes(role: Role, term: Term, leaderId: number): void {
    if (term !== this.term) this.votedFor = 0;
    if (role === "candidate") this.votedFor = this.id;
    this.role = role;
    this.term = term;
    this.leaderId = leaderId;
    this.pendingChangeIndex = role === "leader" ? this.log.lastIndex : 0;
  }

  #snapshot(phase: "available" | "restoring" | "restored" | "fastForwarded" | "ignored", snapshot: SnapshotMetadata): void {
    if (phase === "available") this.snapshot = snapshot;
    if (phase !== "restoring") return;
    this.snapshot = snapshot;
    this.log.restore(snapshot);
    this.commitIndex = snapshot.index;
  }

  /** At the end of a step: what the trace told must be all that happened. */
  compare(status: RaftStatus): void {
    // That a transfer ends with its leader's term, or its target's membership, goes without saying.
    this.transferTarget = status.transferTarget;
    const told = [this.role, this.term, this.votedFor, this.leaderId, this.commitIndex, this.log.firstIndex, this.log.lastIndex];
    const { role, currentTerm, votedFor, leaderId, commitIndex, compactedIndex, lastIndex } = status;
    const found = [role, currentTerm, votedFor, leaderId, commitIndex, compactedIndex + 1, lastIndex];
    if (told.join() !== found.join()) throw new Error(`the trace of ${this.id} tells of ${told.join()}, the status of ${found.join()}`);
  }
}
