import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessages, encodeMessages, type Message } from "../../src/index.js";

const count = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const envelope = { group: count, from: id, to: id, term: count };
const data = fc.uint8Array({ maxLength: 40 });

const appendEntries = fc
  .tuple(fc.record(envelope), fc.nat(1e6), fc.array(fc.tuple(fc.nat(3), fc.constantFrom("command", "noop", "configuration"), data)), count)
  .map(([head, prevLogIndex, parts, leaderCommit]): Message => {
    let term = head.term % 1000;
    const prevLogTerm = term;
    const entries = parts.map(([more, kind, bytes], i) => {
      term += more;
      return { index: prevLogIndex + i + 1, term, kind, data: bytes } as const;
    });
    return { type: "AppendEntries", ...head, term, prevLogIndex, prevLogTerm, entries, leaderCommit };
  });

const message: fc.Arbitrary<Message> = fc.oneof(
  appendEntries,
  fc.record({
    type: fc.constant("AppendEntriesResponse" as const),
    ...envelope,
    rejected: fc.boolean(),
    index: count,
    hintIndex: count,
    hintTerm: count,
  }),
  fc.record({ type: fc.constantFrom("RequestVoteResponse" as const, "PreVoteResponse" as const), ...envelope, granted: fc.boolean() }),
  fc.record({ type: fc.constant("Heartbeat" as const), ...envelope, commitIndex: count, readRound: count }),
  fc.record({ type: fc.constant("HeartbeatResponse" as const), ...envelope, readRound: count }),
  fc.record({ type: fc.constant("ReadIndex" as const), ...envelope, requestId: count }),
  fc.record({ type: fc.constant("ReadIndexResponse" as const), ...envelope, requestId: count, index: count }),
  fc.record({ type: fc.constant("TimeoutNow" as const), ...envelope }),
  fc.record(envelope).map((head): Message => ({ type: "PreVote", ...head, lastLogIndex: 7, lastLogTerm: Math.min(3, head.term) })),
  fc
    .record(envelope)
    .map(
      (head): Message => ({ type: "RequestVote", ...head, lastLogIndex: 7, lastLogTerm: Math.min(3, head.term), leadershipTransfer: true }),
    ),
);

const join = (chunks: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(chunks));

describe("message codec", () => {
  it("gives back what it was given", () => {
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        expect(decodeMessages(join(encodeMessages(messages)))).toEqual(messages);
      }),
    );
  });

  it("hands large data on without a copy", () => {
    const large = new Uint8Array(100_000);
    const entries = [{ index: 1, term: 1, kind: "command", data: large }] as const;
    const chunks = encodeMessages([
      { type: "AppendEntries", group: 0, from: 1, to: 2, term: 1, prevLogIndex: 0, prevLogTerm: 0, entries, leaderCommit: 0 },
    ]);
    expect(chunks).toContain(large);
    expect(decodeMessages(join(chunks))).toMatchObject([{ entries: [{ data: { length: 100_000 } }] }]);
  });

  it("says what is wrong with a frame cut at any place, and never throws", () => {
    fc.assert(
      fc.property(message, fc.nat(), (one, cut) => {
        const frame = join(encodeMessages([one]));
        expect(decodeMessages(frame.subarray(0, cut % frame.length))).toBeTypeOf("string");
      }),
    );
  });

  it("survives any bytes whatever, and mutations of good ones", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeMessages(bytes);
      }),
      { numRuns: 2000 },
    );
    fc.assert(
      fc.property(message, fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 5 }), (one, changes) => {
        const frame = join(encodeMessages([one]));
        for (const [at, value] of changes) frame[at % frame.length] = value;
        decodeMessages(frame);
      }),
      { numRuns: 2000 },
    );
  });

  it("refuses an unknown format version and counts that cannot be true", () => {
    expect(decodeMessages(new Uint8Array([9, 0, 0, 0, 0]))).toMatch(/format 9 are unknown/);
    expect(decodeMessages(new Uint8Array([1, 255, 255, 255, 255]))).toMatch(/cannot fit/);
  });
});
