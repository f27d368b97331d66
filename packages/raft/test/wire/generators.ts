import fc from "fast-check";
import type { Configuration, Entry, EntryKind, ForwardRefusal, Message } from "../../src/index.js";

/** Terms and indexes go no higher. */
const count = fc.nat({ max: 2 ** 52 });
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const positive = fc.integer({ min: 1, max: 2 ** 52 });
const envelope = { group: count, from: id, to: id, term: count };
const data = fc.uint8Array({ maxLength: 40 });
const kinds = ["command", "noop", "configuration", "founding"] as const satisfies readonly EntryKind[];
const refusals = [
  null,
  "notLeader",
  "removed",
  "transferring",
  "tooManyUncommittedBytes",
  "entryTooLarge",
  "busy",
] as const satisfies readonly (ForwardRefusal | null)[];

const appendEntries = fc
  .record({
    head: fc.record(envelope),
    prevLogIndex: fc.nat(1e6),
    prevLogTerm: fc.nat(1000),
    parts: fc.array(fc.tuple(fc.nat(3), fc.constantFrom(...kinds), data)),
    leaderCommit: count,
  })
  .map(({ head, prevLogIndex, prevLogTerm, parts, leaderCommit }): Message => {
    let term = prevLogTerm;
    const entries = parts.map(([more, kind, bytes], i): Entry => {
      term += more;
      return { index: prevLogIndex + i + 1, term, kind, data: bytes };
    });
    return { type: "AppendEntries", ...head, term: Math.max(1, term, head.term), prevLogIndex, prevLogTerm, entries, leaderCommit };
  });

const knownCommit = { commitIndex: count, commitTerm: count };

const ballots = fc
  .record({
    head: fc.record({ ...envelope, ...knownCommit }),
    lastLogIndex: count,
    lastLogTerm: count,
    leadershipTransfer: fc.boolean(),
    isPreVote: fc.boolean(),
  })
  .map(({ head, lastLogIndex, lastLogTerm: anyTerm, leadershipTransfer, isPreVote }): Message => {
    const lastLogTerm = Math.min(anyTerm, head.term);
    return isPreVote
      ? { type: "PreVote", ...head, lastLogIndex, lastLogTerm }
      : { type: "RequestVote", ...head, lastLogIndex, lastLogTerm, leadershipTransfer };
  });

const ids = fc.uniqueArray(id, { maxLength: 5 });

/** A sound configuration, joint or not: each id has one place, except that voters of both halves may be the same. */
const configuration: fc.Arbitrary<Configuration> = fc
  .record({ members: ids, learnerCount: fc.nat(2), joint: fc.constantFrom("no", "explicit", "auto"), demoted: fc.nat(1) })
  .map(({ members, learnerCount, joint, demoted }): Configuration => {
    const ascending = (list: readonly number[]): number[] => [...list].sort((a, b) => a - b);
    const learners = members.slice(0, Math.max(0, Math.min(learnerCount, members.length - 2)));
    const voters = members.slice(learners.length);
    if (joint === "no" || voters.length < 2) {
      return { voters: ascending(voters), votersOutgoing: [], learners: ascending(learners), learnersNext: [], autoLeave: false };
    }
    const leaving = voters.slice(0, demoted);
    return {
      voters: ascending(voters.slice(demoted)),
      votersOutgoing: ascending(voters),
      learners: ascending(learners),
      learnersNext: ascending(leaving),
      autoLeave: joint === "auto",
    };
  });

const installSnapshot = fc.record({ head: fc.record(envelope), index: positive, snapshotTerm: positive, configuration }).map(
  ({ head, index, snapshotTerm, configuration }): Message => ({
    type: "InstallSnapshot",
    ...head,
    term: Math.max(head.term, 1),
    snapshot: { index, term: Math.min(snapshotTerm, Math.max(head.term, 1)), configuration },
  }),
);

const readAnswers = fc
  .record({
    head: fc.record({ ...envelope, requestId: count }),
    outcome: fc.oneof(
      fc.record({ index: positive, refusal: fc.constant(null) }),
      fc.record({ index: fc.constant(0), refusal: fc.constantFrom("noLeader" as const, "tooManyReads" as const) }),
    ),
  })
  .map(({ head, outcome }): Message => ({ type: "ReadIndexResponse", ...head, ...outcome }));

/** Any message that an honest peer could send: one arbitrary for each type. */
const byType: { readonly [Type in Message["type"]]: fc.Arbitrary<Message> } = {
  AppendEntries: appendEntries,
  AppendEntriesResponse: fc.record({
    type: fc.constant("AppendEntriesResponse" as const),
    ...envelope,
    rejected: fc.boolean(),
    index: count,
    hintIndex: count,
    hintTerm: count,
  }),
  InstallSnapshot: installSnapshot,
  RequestVote: ballots,
  PreVote: ballots,
  RequestVoteResponse: fc.record({ type: fc.constant("RequestVoteResponse" as const), ...envelope, ...knownCommit, granted: fc.boolean() }),
  PreVoteResponse: fc.record({ type: fc.constant("PreVoteResponse" as const), ...envelope, ...knownCommit, granted: fc.boolean() }),
  Heartbeat: fc.record({ type: fc.constant("Heartbeat" as const), ...envelope, term: positive, commitIndex: count, readRound: count }),
  HeartbeatResponse: fc.record({ type: fc.constant("HeartbeatResponse" as const), ...envelope, readRound: count }),
  ReadIndex: fc.record({ type: fc.constant("ReadIndex" as const), ...envelope, requestId: count, lease: fc.boolean() }),
  ReadIndexResponse: readAnswers,
  TimeoutNow: fc.record({ type: fc.constant("TimeoutNow" as const), ...envelope }),
  ForwardProposals: fc.record({
    type: fc.constant("ForwardProposals" as const),
    ...envelope,
    requestId: count,
    commands: fc.array(data, { minLength: 1, maxLength: 5 }),
  }),
  ForwardProposalsResponse: fc.record({
    type: fc.constant("ForwardProposalsResponse" as const),
    ...envelope,
    requestId: count,
    count: fc.nat(0xffff_ffff),
    firstIndex: count,
    entryTerm: count,
    refusal: fc.constantFrom(...refusals),
  }),
};

export const message: fc.Arbitrary<Message> = fc.oneof(...Object.values(byType));

export const join = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));
