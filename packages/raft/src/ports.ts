import type { NodeId } from "@octopii/interfaces";
import type { InstallSnapshot, Message } from "./messages.js";
import type { Entry, GroupId, HardState, Index, SnapshotMetadata, TermRun } from "./types.js";

/** What storage holds of one group's log, read back and verified in full before the node takes part in anything. */
export interface StoredLog {
  /** Null if none was ever written. */
  readonly hardState: HardState | null;
  /** The index before the first stored entry; 0 for a log that was never compacted. */
  readonly compactedIndex: Index;
  /** The index of the last stored entry; equal to `compactedIndex` when there are none. */
  readonly lastIndex: Index;
  /** Terms of `[compactedIndex, lastIndex]`, oldest first; index 0 has term 0. */
  readonly terms: readonly TermRun[];
}

/** Keeps the log and the hard state of each group on stable storage. */
export interface LogStorage {
  /** Reads everything back. Rejects rather than leave out a record that was once acknowledged. */
  load(group: GroupId): Promise<StoredLog>;
  /**
   * Writes all of `entries` and `hardState`, or nothing, even through a crash; resolves when they are on stable storage. Entries
   * replace everything from the first one's index on. Calls may overlap, also with {@link install}; they take effect, and resolve, in order.
   * A rejection, or throw, is final: nothing may be promised on this storage again until it has been reopened.
   * @returns nothing instead of a promise if all of it is durable already, which spares the node a turn: for storage in memory.
   */
  append(group: GroupId, hardState: HardState | null, entries: readonly Entry[]): Promise<void> | undefined;
  /** Entries in `[from, to]`, oldest first: at least one, and no more than about `maxBytes` of data; none if `from` was compacted away. */
  read(group: GroupId, from: Index, to: Index, maxBytes: number): Promise<readonly Entry[]>;
  /**
   * Forgets the entries up to `index`, but not the term of that one. Need not be durable when it resolves: after a crash they may be back.
   * May be called while appends are on their way.
   */
  compact(group: GroupId, index: Index): Promise<void>;
  /**
   * Forgets all entries: the log begins after `snapshot` from now on, and is empty. All or nothing, with `hardState`, even through a crash;
   * resolves when it is on stable storage.
   */
  install(group: GroupId, hardState: HardState | null, snapshot: SnapshotMetadata): Promise<void>;
}

/** Takes the data of one snapshot. */
export interface SnapshotWriter {
  /** Adds bytes; resolves when more may come. The writer is done with `chunk` then. */
  write(chunk: Uint8Array): Promise<void>;
  /** Puts the whole snapshot on stable storage, and only then makes it visible. */
  commit(): Promise<void>;
  /** Gives up: as if it had never been begun. Does nothing after `commit`. Never rejects. */
  abort(): Promise<void>;
}

/** Keeps snapshots: the newest of each group, and older ones as long as somebody reads them. */
export interface SnapshotStorage {
  /** The complete snapshots of a group, oldest first, checked as far as their length. Unfinished ones are removed. */
  list(group: GroupId): Promise<readonly SnapshotMetadata[]>;
  /** Begins a snapshot. One for the same index replaces the earlier one when it is committed. */
  create(group: GroupId, metadata: SnapshotMetadata): Promise<SnapshotWriter>;
  /**
   * The data of a complete snapshot, chunk by chunk, checked as it is read. It stays readable to the end even if it is removed meanwhile.
   * @throws (from the iteration) if it is not there, or damaged.
   */
  read(group: GroupId, index: Index): AsyncIterable<Uint8Array>;
  /** Removes the snapshots below `index`. */
  removeBelow(group: GroupId, index: Index): Promise<void>;
}

/** What a {@link PeerNetwork} delivers to. */
export interface PeerReceiver {
  /**
   * Called from the event loop, never from inside `send`.
   * @param from - the sender as the network has authenticated it; messages that claim another are dropped.
   */
  receive(from: NodeId, messages: readonly Message[]): void;
  /**
   * A snapshot comes in. Resolves when all of it was taken and is safe; rejects when it is not wanted or could not be stored. The network
   * tells the sender which.
   * @param chunks - rejects from its iteration when the connection breaks.
   */
  receiveSnapshot(from: NodeId, message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>): Promise<void>;
  /** What was sent to the peer lately is probably lost. May be called from inside `send`. */
  unreachable(peer: NodeId): void;
}

/** Carries messages between replicas: best effort, may lose, delay, repeat and reorder. */
export interface PeerNetwork {
  /** Takes the messages of one turn for one peer. Never blocks, never throws; what does not fit its limits is lost. */
  send(to: NodeId, messages: readonly Message[]): void;
  /**
   * Carries a snapshot, apart from the messages, so that it holds none of them up. Pulls `chunks` no faster than the peer takes them.
   * Resolves when the peer's `receiveSnapshot` has; rejects when it rejected, the connection broke, or `signal` was aborted.
   */
  sendSnapshot(to: NodeId, message: InstallSnapshot, chunks: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void>;
  /** Delivers what comes for `group` to `receiver` from now on. @returns a function that ends it. */
  attach(group: GroupId, receiver: PeerReceiver): () => void;
}

/**
 * What is replicated. Every replica applies the same commands in the same order, so it must depend on nothing else: no clock, no
 * randomness, no iteration order that can differ.
 */
export interface StateMachine<Result> {
  /**
   * Applies committed commands, one result each, in order. A throw or rejection is taken for a bug: the node stops before it counts any of them
   * as applied, so that nothing is lost. A refusal of a command is a result like any other.
   */
  apply(commands: readonly Entry[]): readonly Result[] | Promise<readonly Result[]>;
  /**
   * Entries that change the membership were applied, in order, among the commands of the same batch: for those who keep what stands in the
   * context of a change, such as addresses. Called after `apply`. A throw stops the node as one of `apply` does.
   */
  membershipApplied?(entries: readonly Entry[]): void;
  /**
   * The state as it is at this moment, to be read while later commands are applied: so the state machine copies what it is about to change,
   * or keeps its data in a form that is never changed. Called between two calls of `apply`. Without this method nothing is ever compacted.
   * Whoever reads it reads it to the end, or calls the iterator's `return`.
   */
  snapshot?(): AsyncIterable<Uint8Array>;
  /** Becomes what a snapshot holds, whatever it was before. Chunks are not those in which it was written. */
  restore?(chunks: AsyncIterable<Uint8Array>): Promise<void>;
}
