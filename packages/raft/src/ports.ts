import type { NodeId } from "@octopii/interfaces";
import type { Message } from "./messages.js";
import type { Entry, GroupId, HardState, Index, TermRun } from "./types.js";

/** What storage holds of one group, read back and verified in full before the node takes part in anything. */
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
   * replace everything from the first one's index on. Calls may overlap; they take effect, and resolve, in order.
   * A rejection is final: nothing may be promised on this storage again until it has been reopened.
   */
  append(group: GroupId, hardState: HardState | null, entries: readonly Entry[]): Promise<void>;
  /** Entries in `[from, to]`, oldest first: at least one, and no more than about `maxBytes` of data. */
  read(group: GroupId, from: Index, to: Index, maxBytes: number): Promise<readonly Entry[]>;
}

/** What a {@link PeerNetwork} delivers to. */
export interface PeerReceiver {
  /**
   * Called from the event loop, never from inside `send`.
   * @param from - the sender as the network has authenticated it; messages that claim another are dropped.
   */
  receive(from: NodeId, messages: readonly Message[]): void;
  /** What was sent to the peer lately is probably lost. May be called from inside `send`. */
  unreachable(peer: NodeId): void;
}

/** Carries messages between replicas: best effort, may lose, delay, repeat and reorder. */
export interface PeerNetwork {
  /** Takes the messages of one turn for one peer. Never blocks, never throws; what does not fit its limits is lost. */
  send(to: NodeId, messages: readonly Message[]): void;
  /** Delivers messages of `group` to `receiver` from now on. @returns a function that ends it. */
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
}
