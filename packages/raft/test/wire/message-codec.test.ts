import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeMessages, encodeConfiguration, encodeMessages, type Message } from "../../src/index.js";
import { join, message } from "./generators.js";

describe("message codec", () => {
  it("gives back what it was given, whatever the type", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
        for (const { type } of messages) seen.add(type);
        expect(decodeMessages(join(encodeMessages(messages)))).toEqual(messages);
      }),
      { numRuns: 300 },
    );
    expect(seen.size).toBe(14);
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

  it("refuses a snapshot whose configuration is unsound or of another format", () => {
    const configuration = { voters: [1, 2, 3], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const offer: Message = { type: "InstallSnapshot", group: 0, from: 1, to: 2, term: 4, snapshot: { index: 7, term: 3, configuration } };
    const good = join(encodeMessages([offer]));
    const start = good.length - encodeConfiguration(configuration).length;
    const changed = (offset: number, value: number): readonly Message[] | string => {
      const frame = good.slice();
      frame[start + offset] = value;
      return decodeMessages(frame);
    };
    expect(changed(0, 1)).toEqual([offer]);
    expect(changed(0, 2)).toMatch(/format version 2/);
    // The first voter's id, behind the header of ten bytes: 3 comes before 2 then, and 0 is no id.
    expect(changed(10, 3)).toMatch(/ascending/);
    expect(changed(10, 0)).toMatch(/no node id/);
    // How many voters: more than the bytes that follow.
    expect(changed(2, 200)).toMatch(/ids take/);
  });

  it("refuses values that no honest peer sends", () => {
    const envelope = { group: 0, from: 1, to: 2, term: 4 } as const;
    const configuration = { voters: [1], votersOutgoing: [], learners: [], learnersNext: [], autoLeave: false };
    const impossible: Message[] = [
      { type: "TimeoutNow", ...envelope, from: 0 },
      { type: "PreVote", ...envelope, lastLogIndex: 9, lastLogTerm: 5 },
      { type: "InstallSnapshot", ...envelope, snapshot: { index: 3, term: 5, configuration } },
      { type: "InstallSnapshot", ...envelope, snapshot: { index: 0, term: 1, configuration } },
      { type: "ForwardProposals", ...envelope, requestId: 1, commands: [] },
      {
        type: "AppendEntries",
        ...envelope,
        prevLogIndex: 3,
        prevLogTerm: 2,
        entries: [{ index: 4, term: 1, kind: "noop", data: new Uint8Array() }],
        leaderCommit: 0,
      },
    ];
    for (const one of impossible) expect(decodeMessages(join(encodeMessages([one])))).toBe(`A ${one.type} holds impossible values.`);
  });
});
