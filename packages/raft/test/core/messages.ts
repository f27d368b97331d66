import type {
  AppendEntries,
  AppendEntriesResponse,
  Configuration,
  Entry,
  Heartbeat,
  HeartbeatResponse,
  InstallSnapshot,
  Message,
  PreVote,
  PreVoteResponse,
  RequestVote,
  RequestVoteResponse,
  SnapshotMetadata,
  TimeoutNow,
} from "../../src/index.js";
import { bytes, group } from "./replica.js";

/** Messages as a test writes them: what it does not say is 0, empty or false. */
interface Route {
  readonly from: number;
  readonly to: number;
  readonly term: number;
}

/** Commands of `terms`, one after the other from `first` on; each one's text is `term.index`. */
export const entriesOf = (first: number, ...terms: number[]): Entry[] =>
  terms.map((term, at) => ({ index: first + at, term, kind: "command", data: bytes(`${term}.${first + at}`) }));

/** @param after - the index and term that the entries follow. @param terms - those of the entries. */
export const append = (route: Route, after: readonly [number, number], terms: readonly number[], leaderCommit = 0): AppendEntries => ({
  type: "AppendEntries",
  group: 0,
  ...route,
  prevLogIndex: after[0],
  prevLogTerm: after[1],
  entries: entriesOf(after[0] + 1, ...terms),
  leaderCommit,
});

export const accepted = (route: Route, index: number): AppendEntriesResponse => ({
  type: "AppendEntriesResponse",
  group: 0,
  ...route,
  rejected: false,
  index,
  hintIndex: 0,
  hintTerm: 0,
});

export const rejected = (route: Route, index: number, hintIndex: number, hintTerm: number): AppendEntriesResponse => ({
  ...accepted(route, index),
  rejected: true,
  hintIndex,
  hintTerm,
});

export const requestVote = (route: Route, lastLogIndex = 0, lastLogTerm = 0, leadershipTransfer = false): RequestVote => ({
  type: "RequestVote",
  group: 0,
  ...route,
  lastLogIndex,
  lastLogTerm,
  leadershipTransfer,
});

export const preVote = (route: Route, lastLogIndex = 0, lastLogTerm = 0): PreVote => ({
  type: "PreVote",
  group: 0,
  ...route,
  lastLogIndex,
  lastLogTerm,
});

export const vote = (route: Route, granted = true): RequestVoteResponse => ({ type: "RequestVoteResponse", group: 0, ...route, granted });
export const preVoteAnswer = (route: Route, granted = true): PreVoteResponse => ({ type: "PreVoteResponse", group: 0, ...route, granted });

export const heartbeat = (route: Route, commitIndex = 0, readRound = 0): Heartbeat => ({
  type: "Heartbeat",
  group: 0,
  ...route,
  commitIndex,
  readRound,
});

export const heartbeatAnswer = (route: Route, readRound = 0): HeartbeatResponse => ({
  type: "HeartbeatResponse",
  group: 0,
  ...route,
  readRound,
});

export const timeoutNow = (route: Route): TimeoutNow => ({ type: "TimeoutNow", group: 0, ...route });

export const install = (route: Route, snapshot: SnapshotMetadata): InstallSnapshot => ({
  type: "InstallSnapshot",
  group: 0,
  ...route,
  snapshot,
});

export const snapshotOf = (index: number, term: number, configuration: Configuration = group([1, 2, 3])): SnapshotMetadata => ({
  index,
  term,
  configuration,
});

/** The messages of one type. */
export const only = <Type extends Message["type"]>(type: Type, messages: readonly Message[]): (Message & { type: Type })[] =>
  messages.filter((message): message is Message & { type: Type } => message.type === type);
