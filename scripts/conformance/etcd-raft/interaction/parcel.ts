import type { ConfigurationChange, Entry, HardState, Index, Message, SnapshotMetadata, Term } from "./raft.js";

/** Who sends or receives: a node, or one of the two threads that a node with asynchronous storage has. */
export type Party = number | "AppendThread" | "ApplyThread";

/** A wish to append that is passed on to the leader. */
export type Proposal =
  | { readonly kind: "command"; readonly data: Uint8Array }
  | { readonly kind: "change"; readonly change: ConfigurationChange; readonly isV1: boolean };

/** What the receiver does with a parcel. */
export type Payload =
  | { readonly kind: "message"; readonly message: Message }
  /** Storage has done everything up to the write `sequence`: a node's answer to itself. */
  | { readonly kind: "durable"; readonly sequence: number }
  /** The append thread has done everything up to the write `sequence`. */
  | { readonly kind: "stored"; readonly sequence: number }
  /** The apply thread has applied everything up to `index`. */
  | { readonly kind: "applied"; readonly index: Index; readonly bytes: number }
  | { readonly kind: "proposal"; readonly proposal: Proposal }
  /** Work for a thread, which takes it from its own queue. */
  | { readonly kind: "work" };

/** What travels between nodes, and between a node and its storage threads, as etcd would show it. */
export interface Parcel {
  /** etcd's name of the message. */
  readonly type: string;
  readonly from: Party;
  readonly to: Party;
  readonly term: Term;
  readonly logTerm: Term;
  readonly index: Index;
  /** Present in a refusal. */
  readonly rejectHint: Index | null;
  readonly commit: Index;
  readonly vote: number;
  /** What only our messages have: shown at the end of the line if not empty. */
  readonly detail: string;
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMetadata | null;
  readonly responses: readonly Parcel[];
  readonly payload: Payload;
}

/** etcd's answer to a response from nobody that it knows. */
export const peerNotFound = "raft: cannot step as peer not found";

const blank = {
  term: 0,
  logTerm: 0,
  index: 0,
  rejectHint: null,
  commit: 0,
  vote: 0,
  detail: "",
  entries: [],
  snapshot: null,
  responses: [],
} satisfies Partial<Parcel>;

type Fields = Partial<Omit<Parcel, "from" | "to" | "term" | "payload">> & Pick<Parcel, "type">;

/** A message of the core. */
export function parcelOf(message: Message): Parcel {
  const { from, to, term } = message;
  return { ...blank, from, to, term, ...fieldsOf(message), payload: { kind: "message", message } };
}

/** etcd's name of a message. */
export function nameOf(message: Message): string {
  return fieldsOf(message).type;
}

function fieldsOf(message: Message): Fields {
  switch (message.type) {
    case "AppendEntries": {
      const { prevLogIndex: index, prevLogTerm: logTerm, leaderCommit: commit, entries } = message;
      return { type: "MsgApp", index, logTerm, commit, entries };
    }
    case "AppendEntriesResponse": {
      const { index, rejected, hintIndex } = message;
      // etcd writes 0 where it does not know a term, we -1.
      return { type: "MsgAppResp", index, logTerm: Math.max(0, message.hintTerm), rejectHint: rejected ? hintIndex : null };
    }
    case "InstallSnapshot":
      return { type: "MsgSnap", snapshot: message.snapshot };
    case "RequestVote":
      return { type: "MsgVote", index: message.lastLogIndex, logTerm: message.lastLogTerm };
    case "PreVote":
      return { type: "MsgPreVote", index: message.lastLogIndex, logTerm: message.lastLogTerm };
    case "RequestVoteResponse":
      return { type: "MsgVoteResp", rejectHint: message.granted ? null : 0 };
    case "PreVoteResponse":
      return { type: "MsgPreVoteResp", rejectHint: message.granted ? null : 0 };
    case "Heartbeat":
      return { type: "MsgHeartbeat", commit: message.commitIndex, detail: roundOf(message.readRound) };
    case "HeartbeatResponse":
      return { type: "MsgHeartbeatResp", detail: roundOf(message.readRound) };
    case "ReadIndex":
      return { type: "MsgReadIndex", detail: `Read:${message.requestId}${message.lease ? " lease" : ""}` };
    case "ReadIndexResponse":
      return { type: "MsgReadIndexResp", index: message.index, detail: `Read:${message.requestId}` };
    case "TimeoutNow":
      return { type: "MsgTimeoutNow" };
    default:
      return { type: message.type };
  }
}

function roundOf(readRound: number): string {
  return readRound === 0 ? "" : `Round:${readRound}`;
}

/** A leader's answer to itself: its own entries up to `index` are durable. Our core needs no message for it. */
export function selfAppendResponse(id: number, term: Term, index: Index, sequence: number): Parcel {
  return { ...blank, type: "MsgAppResp", from: id, to: id, term, index, payload: { kind: "durable", sequence } };
}

/** A vote for oneself, which counts once it is durable. */
export function selfVote(message: Message, sequence: number): Parcel {
  return { ...parcelOf(message), payload: { kind: "durable", sequence } };
}

/** A proposal on its way to the leader. */
export function proposalTo(leaderId: number, from: Party, proposal: Proposal, data: Uint8Array): Parcel {
  const entry: Entry = { index: 0, term: 0, kind: proposal.kind === "command" ? "command" : "configuration", data };
  return { ...blank, type: "MsgProp", from, to: leaderId, entries: [entry], payload: { kind: "proposal", proposal } };
}

/** What the append thread is to write. */
export interface AppendRequest {
  readonly hardState: HardState | null;
  readonly entries: readonly Entry[];
  readonly snapshot: SnapshotMetadata | null;
}

/** Work for the append thread; `responses` go out when it is done. */
export function storageAppend(id: number, { hardState, entries, snapshot }: AppendRequest, responses: readonly Parcel[]): Parcel {
  const { currentTerm: term, commitIndex: commit, votedFor: vote } = hardState ?? { currentTerm: 0, commitIndex: 0, votedFor: 0 };
  const payload = { kind: "work" } as const;
  return { ...blank, type: "MsgStorageAppend", from: id, to: "AppendThread", term, commit, vote, entries, snapshot, responses, payload };
}

/** What a node last knew of its log when it gave work to the append thread; both 0 if nothing is unstable. */
export interface LastEntry {
  readonly index: Index;
  readonly term: Term;
}

/** The append thread's answer to its node. */
export function storageAppendResponse(
  id: number,
  term: Term,
  last: LastEntry,
  snapshot: SnapshotMetadata | null,
  sequence: number,
): Parcel {
  const fields = { type: "MsgStorageAppendResp", index: last.index, logTerm: last.term, snapshot };
  return { ...blank, ...fields, from: "AppendThread", to: id, term, payload: { kind: "stored", sequence } };
}

/** Work for the apply thread. @param bytes - what the entries weigh. */
export function storageApply(id: number, entries: readonly Entry[], index: Index, bytes: number): Parcel {
  const payload = { kind: "applied", index, bytes } as const;
  const response: Parcel = { ...blank, type: "MsgStorageApplyResp", from: "ApplyThread", to: id, entries, payload };
  const responses = [response];
  return { ...blank, type: "MsgStorageApply", from: id, to: "ApplyThread", entries, responses, payload: { kind: "work" } };
}

/** Whether a parcel stays within its node, and so cannot be lost. */
export function isLocal({ from, to }: Parcel): boolean {
  return from === to || typeof from === "string" || typeof to === "string";
}
