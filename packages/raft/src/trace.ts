import type { NodeId } from "@octopii/interfaces";
import type { MessageType } from "./messages.js";
import type { Entry, HardState, Index, Role, Term, TermRun } from "./types.js";

/** Why a message from a peer had no effect. */
export type DropReason =
  | "notForUs"
  | "unknownSender"
  | "malformed"
  | "staleTerm"
  | "leaderIsAlive"
  | "unexpected"
  | "contradictsCommitted"
  | "secondLeader";

/** What a replica tells of itself, in the order in which it happens. Logs, metrics and test oracles are made from these. */
export type TraceEvent =
  | { readonly type: "restore"; readonly hardState: HardState; readonly lastIndex: Index; readonly terms: readonly TermRun[] }
  | { readonly type: "role"; readonly role: Role; readonly term: Term; readonly leaderId: NodeId }
  | { readonly type: "vote"; readonly term: Term; readonly candidate: NodeId }
  | { readonly type: "append"; readonly entries: readonly Entry[] }
  | { readonly type: "truncate"; readonly index: Index }
  | { readonly type: "commit"; readonly index: Index; readonly term: Term }
  | { readonly type: "drop"; readonly message: MessageType; readonly from: NodeId; readonly reason: DropReason };

/** Called synchronously; must not throw, and must not call the replica. */
export type TraceSink = (event: TraceEvent) => void;
