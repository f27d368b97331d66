import { describe, expect, it } from "vitest";
import type { Message } from "../../src/index.js";
import { bytes, change, group, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, append, heartbeat, heartbeatAnswer, only } from "./messages.js";

const read = (id: number) => ({ id, lease: false });
const at = { from: 2, to: 1, term: 1 };

/** A leader whose follower 2 holds its first entry, so that it is committed. */
function leader(options = {}): TestReplica {
  const replica = leading({ options });
  replica.answer(accepted(at, 1));
  return replica;
}

describe("thesis §6.4, read-only queries", () => {
  it("§6.4, step 1: before the leader has committed an entry of its own term, reads wait; then they begin", () => {
    const replica = leading();
    replica.step({ reads: [read(1)] });
    expect(only("Heartbeat", replica.receive(heartbeatAnswer(at, 5)))).toEqual([]);
    expect(replica.reads).toEqual([]);
    const [beat] = only("Heartbeat", replica.receive(accepted(at, 1)));
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("§4.3 and §6.4: in a joint configuration a voter that is alone in one half does not confirm reads by itself", () => {
    const replica = leading({ configuration: group([1], { votersOutgoing: [1, 2, 3] }) });
    replica.answer(accepted(at, 1));
    const beats = only("Heartbeat", replica.step({ reads: [read(1)] }));
    expect(replica.status.commitIndex).toBe(1);
    expect(replica.reads).toEqual([]);
    replica.receive(heartbeatAnswer(at, beats[0]?.readRound));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("§6.4, step 2: the read index is the commit index of when the read came, though more gets committed meanwhile", () => {
    const replica = leader();
    const [beat] = only("Heartbeat", replica.step({ reads: [read(1)] }));
    replica.step({ proposals: [bytes("a")] });
    replica.flush();
    replica.receive(accepted(at, 2));
    expect(replica.status.commitIndex).toBe(2);
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("§6.4, step 3: only answers to heartbeats that were sent after the read came confirm it", () => {
    const replica = leader();
    const [old] = only("Heartbeat", replica.step({ reads: [read(1)] }));
    replica.receive(heartbeatAnswer(at, old?.readRound));
    replica.step({ reads: [read(2)] });
    replica.receive(heartbeatAnswer(at, old?.readRound), heartbeatAnswer({ ...at, from: 3 }, old?.readRound));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
    // Nor does an answer to a round that was never begun.
    replica.receive(heartbeatAnswer(at, 99));
    expect(replica.reads).toHaveLength(1);
  });

  it.each([
    { first: [2, 3, 6], last: 5 },
    { first: [4, 5, 6], last: 3 },
  ])(
    "§6.4, step 3: it takes a majority of each half of a joint configuration, learners not counted: $first and $last",
    ({ first, last }) => {
      const replica = leading({ configuration: group([1, 4, 5], { votersOutgoing: [1, 2, 3], learners: [6] }) });
      for (const from of [2, 4]) replica.answer(accepted({ from, to: 1, term: 1 }, 1));
      const [beat] = only("Heartbeat", replica.step({ reads: [read(1)] }));
      for (const from of first) replica.receive(heartbeatAnswer({ from, to: 1, term: 1 }, beat?.readRound));
      expect(replica.reads).toEqual([]);
      replica.receive(heartbeatAnswer({ from: last, to: 1, term: 1 }, beat?.readRound));
      expect(replica.reads).toHaveLength(1);
    },
  );

  it("§6.4: a leader that was deposed without knowing confirms nothing, and refuses when it learns of it", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(1);
    for (const id of [2, 3]) cluster.settle(cluster.at(id).step({ ticks: 25 }));
    expect(cluster.leader.id).not.toBe(1);
    cluster.run(cluster.leader.id, { proposals: [bytes("newer")] });
    cluster.run(1, { reads: [read(1)] });
    cluster.tick(2);
    expect(cluster.at(1).reads).toEqual([]);
    cluster.heal();
    cluster.tick(2);
    expect(cluster.at(1).reads).toEqual([{ id: 1, index: null, refusal: "noLeader" }]);
  });

  it("§6.4: one round of heartbeats serves all reads that came together, and all that wait", () => {
    const replica = leader();
    const beats = only("Heartbeat", replica.step({ reads: [read(1), read(2), read(3)] }));
    expect(beats).toHaveLength(2);
    const [second] = only("Heartbeat", replica.step({ reads: [read(4)] }));
    replica.receive(heartbeatAnswer(at, second?.readRound));
    expect(replica.reads.map(({ id }) => id)).toEqual([1, 2, 3, 4]);
  });

  it("§6.4: a round whose heartbeat or answer was lost is confirmed by a later heartbeat", () => {
    const replica = leader();
    replica.step({ reads: [read(1)] });
    const [beat] = only("Heartbeat", replica.step({ ticks: 1 }));
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("§6.4: a lone voter reads at once", () => {
    const cluster = new TestCluster(group([1], { learners: [2] }));
    cluster.elect(1);
    expect(cluster.at(1).step({ reads: [read(1)] })).toEqual([]);
    expect(cluster.at(1).reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("§6.4: a follower asks the leader, which confirms as for itself; the follower answers when it has applied that far", () => {
    const cluster = new TestCluster(group([1, 2, 3], { learners: [4] }));
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a")] });
    for (const id of [2, 4]) {
      cluster.run(id, { reads: [read(id)] });
      expect(cluster.at(id).reads).toEqual([{ id, index: 2, refusal: null }]);
    }
  });

  it("§6.4: a follower's read that the leader cannot confirm is not answered; nor is one that it asked of a node that leads no more", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.filter = ({ type }) => type !== "HeartbeatResponse";
    cluster.run(2, { reads: [read(7)] });
    expect(cluster.at(2).reads).toEqual([]);
    const asked: Message = { type: "ReadIndex", group: 0, from: 2, to: 3, term: 1, requestId: 8, lease: false };
    expect(cluster.at(3).receive(asked)).toMatchObject([{ type: "ReadIndexResponse", requestId: 8, index: 0, refusal: "noLeader" }]);
  });

  it("§6.4: an answer may refuse the read; one that nobody waits for, or waits no longer, changes nothing", () => {
    const replica = new TestReplica(1);
    replica.answer(heartbeat(at));
    replica.step({ reads: [read(1), read(2)] });
    const answer = (requestId: number, index: number): Message => ({
      ...{ type: "ReadIndexResponse", group: 0, ...at, requestId, index },
      refusal: index === 0 ? "noLeader" : null,
    });
    replica.step({ abandonedReads: [2] });
    replica.receive(answer(1, 0), answer(1, 5), answer(2, 5), answer(9, 5));
    expect(replica.reads).toEqual([{ id: 1, index: null, refusal: "noLeader" }]);
    expect(replica.traced("drop")).toHaveLength(3);
  });

  it("§6.4: reads are refused where nobody leads, and when the leader is lost", () => {
    const replica = new TestReplica(1);
    replica.step({ reads: [read(1)] });
    replica.answer(heartbeat(at));
    replica.step({ reads: [read(2)] });
    replica.step({ ticks: 11 });
    replica.step({ reads: [read(3)] });
    expect(replica.reads).toEqual([1, 2, 3].map((id) => ({ id, index: null, refusal: "noLeader" })));
  });

  it("reads over the limit are refused at once, one's own and a follower's", () => {
    const replica = leader({ pendingReadsMax: 2 });
    const asked: Message = { type: "ReadIndex", group: 0, ...at, requestId: 9, lease: false };
    const said = replica.step({ reads: [read(1), read(2), read(3)] });
    expect(replica.reads).toEqual([{ id: 3, index: null, refusal: "tooManyReads" }]);
    expect(only("Heartbeat", said)).toHaveLength(2);
    expect(only("ReadIndexResponse", replica.receive(asked))).toMatchObject([{ requestId: 9, index: 0, refusal: "tooManyReads" }]);
    const early = leading({ options: { pendingReadsMax: 1 } });
    early.step({ reads: [read(1), read(2)] });
    expect(early.reads).toEqual([{ id: 2, index: null, refusal: "tooManyReads" }]);
  });

  it("reads that wait are confirmed when a change of the membership takes away the voter whose answer was missing", () => {
    const cluster = new TestCluster(4);
    const replica = cluster.elect(1);
    cluster.filter = ({ type, from }) => type !== "HeartbeatResponse" || from === 2;
    cluster.run(1, { reads: [read(1)] });
    expect(replica.reads).toEqual([]);
    cluster.change(1, change("r4"));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("what the founding entry says changes nothing that the leader knows: a read that waits for its round is confirmed", () => {
    const replica = leading({ configuration: group([1, 2]) });
    replica.holdApply = true;
    replica.answer(accepted(at, 1));
    const [beat] = only("Heartbeat", replica.step({ reads: [read(1)] }));
    replica.finishApply();
    expect(replica.progress(2)).toMatchObject({ state: "replicate", matchIndex: 1 });
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("a read by a follower of an earlier term gets no answer: it will ask again", () => {
    const replica = new TestReplica(1, { log: [1, 1], hardState: { currentTerm: 4 } });
    replica.answer(append({ ...at, term: 4 }, [2, 1], []));
    expect(replica.receive({ type: "ReadIndex", group: 0, ...at, requestId: 1, lease: false })).toEqual([]);
    expect(replica.traced("drop").at(-1)).toMatchObject({ reason: "staleTerm" });
  });
});
