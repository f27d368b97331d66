import { describe, expect, it } from "vitest";
import { bytes, TestReplica } from "./cluster.js";
import { leading, replicating } from "./leading.js";
import { accepted, append, heartbeat, install, preVote, requestVote, snapshotOf } from "./messages.js";

const at = { from: 2, to: 1, term: 1 };

describe("what a step has storage write", () => {
  it("nothing, if nothing changed and nothing is promised", () => {
    const replica = new TestReplica(1);
    replica.step({ ticks: 5 });
    replica.answer(heartbeat(at));
    replica.receive(heartbeat(at));
    expect(replica.writes).toEqual([]);
  });

  it("a term and a vote, with a flush: somebody is promised something", () => {
    const replica = new TestReplica(1);
    replica.receive(requestVote(at));
    expect(replica.writes).toMatchObject([
      { sequence: 1, hardState: { currentTerm: 1, votedFor: 2, commitIndex: 0 }, entries: [], snapshot: null, lazy: false },
    ]);
    expect(replica.writes[0]?.releases).toMatchObject([{ type: "RequestVoteResponse", granted: true }]);
    replica.receive(requestVote({ ...at, from: 3 }));
    // The refusal says nothing new: it only waits for the write before it.
    expect(replica.writes[1]).toMatchObject({ sequence: 2, hardState: null, lazy: true });
  });

  it("a term alone, with a flush as well: it must not be forgotten", () => {
    const replica = new TestReplica(1);
    replica.receive(heartbeat(at));
    expect(replica.writes).toMatchObject([{ hardState: { currentTerm: 1, votedFor: 0 }, lazy: false, releases: [] }]);
  });

  it("entries, with a flush; the acknowledgement waits for it", () => {
    const replica = new TestReplica(1, { hardState: { currentTerm: 1 } });
    replica.receive(append(at, [0, 0], [1, 1]));
    expect(replica.writes).toMatchObject([{ hardState: null, entries: [{ index: 1 }, { index: 2 }], lazy: false }]);
    expect(replica.writes[0]?.releases).toEqual([accepted({ from: 1, to: 2, term: 1 }, 2)]);
  });

  it("a snapshot, with a flush, and with the commit index that goes with it", () => {
    const replica = new TestReplica(1, { hardState: { currentTerm: 1 } });
    replica.receive(install(at, snapshotOf(5, 1)));
    expect(replica.writes).toMatchObject([{ snapshot: { index: 5 }, hardState: { commitIndex: 5 }, entries: [], lazy: false }]);
  });

  it("a snapshot that follows another within a step: the last one only", () => {
    const replica = new TestReplica(1, { hardState: { currentTerm: 1 } });
    replica.receive(install(at, snapshotOf(5, 1)), install(at, snapshotOf(9, 1)));
    expect(replica.writes).toMatchObject([{ snapshot: { index: 9 }, hardState: { commitIndex: 9 } }]);
  });

  it("a commit index alone without a flush: what is lost of it is learned again", () => {
    const replica = new TestReplica(1, { log: [1, 1] });
    replica.receive(heartbeat(at, 2));
    expect(replica.writes).toMatchObject([{ hardState: { currentTerm: 1, commitIndex: 2 }, lazy: true, releases: [] }]);
  });

  it("with a change that follows another, the commit of the first: by it a node that holds the second knows that the first is in effect", () => {
    const replica = new TestReplica(1, { hardState: { currentTerm: 1 } });
    replica.receive(append(at, [0, 0], [1]));
    replica.receive(append(at, [1, 1], [1], 1));
    expect(replica.writes[1]).toMatchObject({ hardState: { commitIndex: 1 }, entries: [{ index: 2 }], lazy: false });
  });

  it("an answer to a pre-vote without a flush: it promises nothing but what was written before", () => {
    const replica = new TestReplica(1);
    replica.receive(preVote({ ...at, term: 1 }));
    expect(replica.writes).toMatchObject([{ hardState: null, entries: [], lazy: true }]);
  });

  it("everything of a step in one write, however much happened", () => {
    const leader = replicating();
    leader.flush();
    leader.step({
      proposals: ["a", "b", "c"].map(bytes),
      messages: [accepted({ ...at, from: 3 }, 1)],
      ticks: 1,
      reads: [{ id: 1, lease: false }],
    });
    expect(leader.writes).toMatchObject([{ entries: [{ index: 2 }, { index: 3 }, { index: 4 }] }]);
  });

  it("in one sequence, without gaps", () => {
    const leader = leading();
    const sequences = ["a", "b", "c"].map((text) => {
      leader.step({ proposals: [bytes(text)] });
      return leader.writes.at(-1)?.sequence ?? 0;
    });
    expect(sequences.map((sequence) => sequence - (sequences[0] ?? 0))).toEqual([0, 1, 2]);
  });
});

describe("what a step has the state machine apply", () => {
  it("one range at a time; what is committed meanwhile gathers", () => {
    const replica = new TestReplica(1, { log: [1, 1, 1, 1], hardState: { currentTerm: 1 } });
    replica.holdApply = true;
    replica.answer(heartbeat(at, 1));
    expect(replica.applying).toMatchObject({ from: 1, to: 1 });
    replica.answer(heartbeat(at, 4));
    expect(replica.applying).toMatchObject({ from: 1, to: 1 });
    replica.finishApply();
    expect(replica.applying).toMatchObject({ from: 2, to: 4 });
  });

  it("what is in memory as entries, up to applyBytesMax and at least one; what only the disk has as a range", () => {
    const replica = new TestReplica(1, { log: [1, 1], options: { applyBytesMax: 50 } });
    replica.holdApply = true;
    replica.answer(append(at, [2, 1], [1, 1, 1, 1], 6));
    expect(replica.applying).toEqual({ from: 1, to: 2, entries: null, hasNext: false });
    replica.finishApply();
    expect(replica.applying).toMatchObject({ from: 3, to: 4, entries: [{ index: 3 }, { index: 4 }], hasNext: true });
    replica.finishApply();
    expect(replica.applying).toMatchObject({ from: 5, to: 6, hasNext: false });
  });

  it("nothing that is not on the own disk, committed or not", () => {
    const replica = new TestReplica(1, { hardState: { currentTerm: 1 } });
    replica.holdApply = true;
    replica.receive(append(at, [0, 0], [1, 1], 2));
    expect(replica.applying).toBeNull();
    replica.flush();
    expect(replica.applying).toMatchObject({ from: 1, to: 2 });
  });
});
