import type { Configuration, Entry, Message, MessageType, RaftStatus } from "../../src/index.js";
import type { LogImage } from "../property/log-image.js";
import type { Seeded } from "../property/seeded.js";

/** Ids of nobody. */
export const strangers = [77, 4_000_000_000, Number.MAX_SAFE_INTEGER];
export const responses = ["AppendEntriesResponse", "HeartbeatResponse", "RequestVoteResponse", "PreVoteResponse"] as const;
/** The types that a core is sent. */
export const types: readonly MessageType[] = [
  ...responses,
  ...(["AppendEntries", "InstallSnapshot", "RequestVote", "PreVote", "Heartbeat", "ReadIndex", "ReadIndexResponse", "TimeoutNow"] as const),
];

export const configurationOf = (parts: Partial<Configuration>): Configuration => ({
  ...{ voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false },
  ...parts,
});

/** Whom a message is made for. */
export interface Victim {
  readonly random: Seeded;
  readonly status: RaftStatus;
  readonly members: number;
  readonly log: LogImage;
}

/** A number about where a log might be. */
export const somewhere = ({ random, status }: Victim): number =>
  random.pick([0, 1, status.commitIndex, status.lastIndex, status.lastIndex + 1, random.below(status.lastIndex + 5), 2 ** 40, 2 ** 53 - 1]);

export const otherMember = ({ random, status, members }: Victim): number => 1 + ((status.id + random.below(members - 1)) % members);

export function entriesAfter(victim: Victim, prevLogIndex: number, term: number): Entry[] {
  const { random } = victim;
  const kind = random.pick(["command", "noop", "configuration", "founding"] as const);
  return Array.from({ length: random.below(4) }, (_, at) => ({
    index: prevLogIndex + 1 + at,
    term,
    kind,
    data: random.bytes(random.below(6)),
  }));
}

/** A message that an honest peer could send, if not this one now. */
export function plausible(victim: Victim, type: MessageType, from: number, term: number): Message {
  const { random, status } = victim;
  const head = { group: 0, from, to: status.id, term } as const;
  const log = { lastLogIndex: somewhere(victim), lastLogTerm: random.below(Math.min(term, 1000) + 1) };
  switch (type) {
    case "AppendEntries": {
      const prevLogIndex = Math.min(somewhere(victim), 2 ** 52);
      const prevLogTerm = random.below(Math.min(term, 1000) + 1);
      return {
        type,
        ...head,
        prevLogIndex,
        prevLogTerm,
        entries: entriesAfter(victim, prevLogIndex, term),
        leaderCommit: somewhere(victim),
      };
    }
    case "AppendEntriesResponse": {
      const hint = { hintIndex: somewhere(victim), hintTerm: random.below(5) - 1 };
      return { type, ...head, rejected: random.chance(0.5), index: somewhere(victim), ...hint };
    }
    case "InstallSnapshot":
      return {
        type,
        ...head,
        snapshot: { index: 1 + random.below(50), term: Math.max(1, Math.min(term, 3)), configuration: configurationOf({}) },
      };
    case "RequestVote":
      return { type, ...head, ...log, leadershipTransfer: random.chance(0.5) };
    case "PreVote":
      return { type, ...head, ...log };
    case "RequestVoteResponse":
    case "PreVoteResponse":
      return { type, ...head, granted: random.chance(0.7) };
    case "Heartbeat":
      return { type, ...head, commitIndex: somewhere(victim), readRound: somewhere(victim) };
    case "HeartbeatResponse":
      return { type, ...head, readRound: somewhere(victim) };
    case "ReadIndex":
      return { type, ...head, requestId: somewhere(victim), lease: random.chance(0.5) };
    case "ReadIndexResponse":
      return {
        ...{ type, ...head, requestId: somewhere(victim) },
        ...(random.chance(0.2)
          ? { index: 0, refusal: random.pick(["noLeader", "tooManyReads"] as const) }
          : { index: 1 + somewhere(victim), refusal: null }),
      };
    case "TimeoutNow":
      return { type, ...head };
    case "ForwardProposals":
      return { type, ...head, requestId: somewhere(victim), commands: [random.bytes(3)] };
    case "ForwardProposalsResponse":
      return { type, ...head, requestId: 1, count: 1, firstIndex: somewhere(victim), entryTerm: term, refusal: null };
  }
}

/** Any term, near or absurd. */
export const anyTerm = ({ random, status }: Victim): number =>
  random.pick([0, 1, status.currentTerm, status.currentTerm + 1, status.currentTerm + 9, 2 ** 52, 2 ** 53 - 1]);
