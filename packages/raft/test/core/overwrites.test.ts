import { createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { PendingWrites } from "../../src/core/pending-writes.js";
import type { Message } from "../../src/index.js";
import { TestReplica } from "./cluster.js";
import { accepted, append, heartbeat, install, only, requestVote, snapshotOf, vote } from "./messages.js";

/** A follower that was sent, by leaders of several terms, entries for the same indexes, and has stored none of them yet. */
function follower(...messages: Message[]): TestReplica {
  const replica = new TestReplica(3);
  for (const metadata of [snapshotOf(1, 2), snapshotOf(2, 2)]) replica.disk.snapshots.push({ metadata, state: [] });
  for (const message of messages) replica.receive(message);
  return replica;
}

const from = (leader: number, term: number) => ({ from: leader, to: 3, term });
const acknowledged = (messages: readonly Message[]): number[] =>
  only("AppendEntriesResponse", messages).map(({ term, index }) => 10 * term + index);

describe("writes that overtake each other's entries (A→B→A)", () => {
  it("two in flight: the first says nothing about the entry that replaced its own", () => {
    const replica = follower(append(from(1, 1), [0, 0], [1]), append(from(2, 2), [0, 0], [2]));
    replica.flush(1);
    expect(replica.status.durableIndex).toBe(0);
    replica.flush(1);
    expect(replica.status.durableIndex).toBe(1);
    expect(replica.disk.entries.map(({ term }) => term)).toEqual([2]);
  });

  it("three in flight, the third like the first: only its own completion makes it durable", () => {
    const replica = follower(append(from(1, 1), [0, 0], [1]), append(from(2, 2), [0, 0], [2]), append(from(1, 3), [0, 0], [3], 1));
    for (const durable of [0, 0, 1]) {
      replica.flush(1);
      expect(replica.status).toMatchObject({ durableIndex: durable, commitIndex: 1, appliedIndex: durable });
    }
    expect(replica.state).toEqual(["3.1"]);
  });

  it("what was not replaced stays durable by the first write", () => {
    const replica = follower(append(from(1, 1), [0, 0], [1, 1, 1]), append(from(2, 2), [1, 1], [2, 2]), append(from(1, 3), [2, 2], [3]));
    const durable = [1, 2, 3].map(() => {
      replica.flush(1);
      return replica.status.durableIndex;
    });
    expect(durable).toEqual([1, 2, 3]);
    expect(replica.disk.entries.map(({ term }) => term)).toEqual([1, 2, 3]);
  });

  it("reported all at once, they count as in order", () => {
    const replica = follower(append(from(1, 1), [0, 0], [1, 1]), append(from(2, 2), [0, 0], [2]), append(from(1, 3), [1, 2], [3]));
    const last = replica.writes[2]?.sequence ?? 0;
    for (const write of replica.writes.splice(0)) replica.disk.write(write);
    const messages = replica.step({ durableSequence: last });
    expect(replica.status.durableIndex).toBe(2);
    // Each acknowledgement carries the term in which it was made: only its own leader believes it.
    expect(acknowledged(messages)).toEqual([12, 21, 32]);
  });

  it("with a snapshot in between: what was written before it says nothing about what follows it", () => {
    const replica = follower(
      append(from(1, 1), [0, 0], [1, 1, 1]),
      install(from(2, 2), snapshotOf(2, 2)),
      append(from(2, 2), [2, 2], [2], 3),
    );
    for (const durable of [0, 2, 3]) {
      replica.flush(1);
      expect(replica.status.durableIndex).toBe(durable);
    }
    expect(replica.disk).toMatchObject({ compactedIndex: 2, entries: [{ index: 3, term: 2 }] });
    expect(replica.status.appliedIndex).toBe(3);
  });

  it("with a snapshot of fewer entries than were on their way: they are gone, and their completion brings none back", () => {
    const replica = follower(append(from(1, 1), [0, 0], [1, 1, 1, 1]), install(from(2, 2), snapshotOf(1, 2)));
    replica.flush(1);
    expect(replica.status).toMatchObject({ lastIndex: 1, durableIndex: 0 });
    replica.flush();
    expect(replica.status).toMatchObject({ lastIndex: 1, durableIndex: 1 });
  });

  it("with entries in the same write as the snapshot", () => {
    const replica = follower(append(from(1, 1), [0, 0], [1]));
    replica.receive(install(from(2, 2), snapshotOf(2, 2)), append(from(2, 2), [2, 2], [2, 2]));
    expect(replica.writes.at(-1)).toMatchObject({ snapshot: { index: 2 }, entries: [{ index: 3 }, { index: 4 }], lazy: false });
    replica.flush();
    expect(replica.status).toMatchObject({ durableIndex: 4, lastIndex: 4 });
  });

  it("a leader's own entries that replaced others count when they are durable, not when those are", () => {
    const replica = new TestReplica(3, { options: { preVote: false, checkQuorum: false } });
    replica.receive(append(from(1, 1), [0, 0], [1, 1]));
    replica.receive(append(from(2, 2), [0, 0], [2]));
    replica.receive(heartbeat(from(2, 2)));
    replica.step({ ticks: 13 });
    expect(replica.status).toMatchObject({ role: "candidate", currentTerm: 3, lastIndex: 1 });
    expect(replica.writes).toHaveLength(3);
    replica.flush(1);
    expect(replica.status.durableIndex).toBe(0);
    // Nothing is asked before all that the request boasts of is durable.
    expect(only("RequestVote", replica.flush(1))).toEqual([]);
    expect(only("RequestVote", replica.flush(1))).toHaveLength(2);
    replica.receive(vote({ from: 1, to: 3, term: 3 }));
    replica.receive(accepted({ from: 1, to: 3, term: 3 }, 2));
    expect(replica.status).toMatchObject({ role: "leader", commitIndex: 0 });
    replica.flush();
    expect(replica.status.commitIndex).toBe(2);
  });

  it("a vote that waits behind such writes is given in their order", () => {
    const asked = follower(append(from(1, 1), [0, 0], [1]), append(from(2, 2), [0, 0], [2]));
    asked.step({ forgetLeader: true });
    asked.receive(requestVote(from(1, 3), 1, 2));
    expect(only("RequestVoteResponse", asked.flush(2))).toEqual([]);
    expect(asked.flush(1)).toMatchObject([{ granted: true }]);
    expect(asked.disk).toMatchObject({ hardState: { currentTerm: 3, votedFor: 1 }, entries: [{ term: 2 }] });
  });

  it("whatever the order of appends, snapshots and completions: what is called durable is on the disk, as the log now reads", () => {
    for (let seed = 1; seed <= 40; seed++) {
      const random = createRandom(seed);
      const pick = (count: number): number => random.uint32() % count;
      const replica = new TestReplica(3, { options: { checkQuorum: false } });
      const model: number[] = [];
      let term = 1;
      for (let turn = 0; turn < 40; turn++) {
        if (pick(3) === 0) term++;
        const after = replica.status.commitIndex + pick(model.length - replica.status.commitIndex + 1);
        if (pick(8) === 0 && model.length > 0) {
          const index = 1 + pick(model.length + 3);
          const metadata = snapshotOf(index, term);
          replica.disk.snapshots.push({ metadata, state: [] });
          const { compactedIndex } = replica.status;
          replica.receive(install({ from: 1 + (term % 2), to: 3, term }, metadata));
          if (replica.status.compactedIndex > compactedIndex) {
            model.length = index;
            model[index - 1] = term;
          }
        } else {
          const terms = Array.from({ length: pick(3) }, () => term);
          const prevTerm = after === 0 ? 0 : (model[after - 1] ?? 0);
          replica.receive(append({ from: 1 + (term % 2), to: 3, term }, [after, prevTerm], terms));
          if (terms.some((value, i) => model[after + i] !== value)) model.splice(after, Number.POSITIVE_INFINITY, ...terms);
        }
        replica.flush(pick(replica.writes.length + 1));
        const { durableIndex, compactedIndex, lastIndex } = replica.status;
        expect(lastIndex).toBe(model.length);
        if (durableIndex > compactedIndex) expect(replica.disk.lastIndex).toBeGreaterThanOrEqual(durableIndex);
        for (let index = compactedIndex + 1; index <= durableIndex; index++) {
          expect(replica.disk.entries[index - replica.disk.compactedIndex - 1]?.term).toBe(model[index - 1]);
        }
      }
    }
  });
});

describe("PendingWrites", () => {
  it("completes in order, and gives the promises of all that is complete", () => {
    const writes = new PendingWrites();
    const promises = [1, 2, 3].map((index) => accepted(from(3, index), index));
    const sequences = promises.map((promise, at) => writes.add(10 * (at + 1), [promise]));
    expect(sequences).toEqual([1, 2, 3]);
    expect(writes.complete(2)).toEqual({ lastIndex: 20, promises: promises.slice(0, 2) });
    expect(writes.size).toBe(1);
    expect(writes.complete(2)).toEqual({ lastIndex: 0, promises: [] });
    expect(writes.complete(3)).toEqual({ lastIndex: 30, promises: promises.slice(2) });
  });

  it("throws for a write that was never made: storage, or its driver, is confused", () => {
    expect(() => new PendingWrites().complete(1)).toThrow(/storage reported write 1, the last one was 0/);
  });

  it("voids what is replaced, and no more", () => {
    const writes = new PendingWrites();
    for (const lastIndex of [3, 5, 8]) writes.add(lastIndex, []);
    writes.voidFrom(5);
    expect([1, 2, 3].map((sequence) => writes.complete(sequence).lastIndex)).toEqual([3, 4, 4]);
  });
});
