import type { NodeId } from "@octopii/interfaces";
import type { Configuration } from "./configuration/configuration.js";

/** Raft's logical clock: a safe integer, 0 before the first election. Source: Raft §5.1. */
export type Term = number;

/** A position in the log: a safe integer; the first entry has index 1. */
export type Index = number;

/** Names one Raft group among those that share a node's storage and network: a safe integer, 0 where there is just one. */
export type GroupId = number;

/**
 * What an entry is for. `command`: an application's. `noop`: the entry by which a new leader commits its predecessors' (Raft §8).
 * `configuration`: a membership change, encoded by `encodeConfigurationChange`. `founding`: the first entry of a group, in the place of a
 * noop; it holds the founders' configuration by `encodeConfiguration`, so that whoever joins later learns it from the log.
 */
export type EntryKind = "command" | "noop" | "configuration" | "founding";

/** One entry of the replicated log. Nobody changes an entry, or its bytes, after it was made. */
export interface Entry {
  readonly index: Index;
  /** The term in which the leader created it. */
  readonly term: Term;
  readonly kind: EntryKind;
  readonly data: Uint8Array;
}

/** What an entry costs in memory besides its data, roughly: small entries count too, or a million of them would be free. */
export const entryMemoryBytes = 256;

/** What an entry costs in a message besides its data: a bound. */
export const entryWireBytes = 16;

/** What must be on stable storage before a node answers in a term. Source: Raft figure 2, "persistent state". */
export interface HardState {
  readonly currentTerm: Term;
  /** Whom this node voted for in `currentTerm`; 0 for nobody. */
  readonly votedFor: NodeId;
  /** How far the log was known to be committed. It may lag behind: it spares work at a restart, safety does not need it. */
  readonly commitIndex: Index;
}

/** A replica's part at present. Source: Raft §5.1; preCandidate: thesis §9.6. */
export type Role = "follower" | "preCandidate" | "candidate" | "leader";

/** Copied from the log: a run of entries of one term, from `firstIndex` up to the next run. */
export interface TermRun {
  readonly firstIndex: Index;
  readonly term: Term;
}

/** What a snapshot stands for: the state after the entry at `index`. The data itself never passes through the core. */
export interface SnapshotMetadata {
  readonly index: Index;
  readonly term: Term;
  /** The configuration as of `index`. */
  readonly configuration: Configuration;
}
