import { describe, expect, it } from "vitest";
import { leading } from "./leading.js";
import { accepted } from "./messages.js";
import { TestReplica } from "./replica.js";

const kibibyte = 1024;
const options = { uncommittedBytesMax: 64 * kibibyte, entryBytesMax: 16 * kibibyte, cacheBytesMax: 64 * kibibyte };

/** Proposes until something is refused. @returns how many bytes were taken. */
function flood(replica: TestReplica, whenProposed: () => void): number {
  const at = { from: 2, to: 1, term: replica.status.currentTerm };
  for (let taken = 0; taken < 100; taken++) {
    replica.step({ proposals: [new Uint8Array(15 * kibibyte)] });
    if (replica.proposed?.refusal === "tooManyUncommittedBytes") return taken * 15 * kibibyte;
    whenProposed();
    for (const from of [2, 3]) replica.receive(accepted({ ...at, from }, replica.status.lastIndex));
  }
  throw new Error("nothing was refused");
}

describe("a leader takes no more than its limit while", () => {
  it("its state machine hangs, though everything is committed", () => {
    const replica = leading({ options });
    replica.holdApply = true;
    expect(flood(replica, () => replica.flush())).toBeLessThanOrEqual(options.uncommittedBytesMax);
    expect(replica.status.commitIndex).toBe(replica.status.lastIndex);
    // It goes on as soon as that does.
    replica.holdApply = false;
    replica.finishApply();
    replica.step({ proposals: [new Uint8Array(kibibyte)] });
    expect(replica.proposed).toMatchObject({ count: 1, refusal: null });
  });

  it("its disk hangs, though the others commit", () => {
    const replica = leading({ options });
    expect(flood(replica, () => undefined)).toBeLessThanOrEqual(options.uncommittedBytesMax);
    replica.flush();
    replica.step({ proposals: [new Uint8Array(kibibyte)] });
    expect(replica.proposed).toMatchObject({ count: 1, refusal: null });
  });
});

describe("a follower whose state machine hangs", () => {
  it("keeps in memory what it should, and reads the rest from its disk", () => {
    const replica = new TestReplica(1, { options: { cacheBytesMax: 4 * kibibyte } });
    replica.holdApply = true;
    const entries = 200;
    for (let index = 1; index <= entries; index++) {
      const entry = { index, term: 1, kind: "command", data: new Uint8Array(kibibyte).fill(65) } as const;
      const at = { type: "AppendEntries", group: 0, from: 2, to: 1, term: 1, leaderCommit: index } as const;
      replica.answer({ ...at, prevLogIndex: index - 1, prevLogTerm: index === 1 ? 0 : 1, entries: [entry] });
    }
    replica.finishApply();
    // The next range is long gone from memory.
    expect(replica.applying).toMatchObject({ from: 2, entries: null });
    replica.holdApply = false;
    replica.finishApply();
    expect(replica.status.appliedIndex).toBe(entries);
    expect(replica.applied.map(({ index }) => index)).toEqual(Array.from({ length: entries }, (_, at) => at + 1));
  });
});
