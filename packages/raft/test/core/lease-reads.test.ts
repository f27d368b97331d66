import { describe, expect, it } from "vitest";
import { bytes, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import {
  accepted,
  append,
  heartbeat,
  heartbeatAnswer,
  install,
  only,
  preVoteAnswer,
  requestVote,
  snapshotOf,
  timeoutNow,
  vote,
} from "./messages.js";

const options = { leaseReads: true, clockDriftMax: 0.1 };
/** (10 ticks - 1) * (1 - 0.1) */
const leaseTicks = 8.1;
const read = (id: number) => ({ id, lease: true });
const at = { from: 2, to: 1, term: 1 };

/** A leader, its first entry committed, with a lease from a round that it sent at 100. */
function leader(): TestReplica {
  const replica = leading({ options });
  replica.answer(accepted(at, 1));
  replica.now = 100;
  const [beat] = only("Heartbeat", replica.step({ ticks: 1 }));
  // The answer takes its time; the lease counts from the question.
  replica.now = 103;
  replica.receive(heartbeatAnswer(at, beat?.readRound));
  return replica;
}

function readsAt(replica: TestReplica, now: number, id = 1): number | null | undefined {
  replica.now = now;
  replica.step({ reads: [read(id)] });
  return replica.reads.find((ready) => ready.id === id)?.index;
}

describe("thesis §6.4.1, lease reads", () => {
  it.each([
    [100, 1],
    [100 + leaseTicks - 0.01, 1],
    [100 + leaseTicks, undefined],
    [2_000, undefined],
  ])("§6.4.1: of a round sent at 100, with timeout 10 and drift 0.1, a read at %d is answered with %s", (now, index) => {
    expect(readsAt(leader(), now)).toBe(index);
  });

  it("§6.4.1: a leader that was paused has no lease when its clock jumps, and asks a quorum", () => {
    const replica = leader();
    replica.now = 150;
    const said = replica.step({ reads: [read(1)] });
    expect(replica.reads).toEqual([]);
    const [beat] = only("Heartbeat", said);
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    expect(replica.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
    expect(readsAt(replica, 155, 2)).toBe(1);
  });

  it("§6.4.1: one answer of a quorum is needed; the leader's own word is none", () => {
    const replica = leading({ options });
    replica.answer(accepted(at, 1));
    replica.now = 100;
    replica.step({ ticks: 1 });
    expect(readsAt(replica, 101)).toBeUndefined();
  });

  it("§6.4.1: heartbeats extend it", () => {
    const replica = leader();
    for (let now = 104; now < 140; now++) {
      replica.now = now;
      const [beat] = only("Heartbeat", replica.step({ ticks: 1 }));
      replica.receive(heartbeatAnswer(at, beat?.readRound));
    }
    expect(readsAt(replica, 139 + leaseTicks - 0.1)).toBe(1);
  });

  it("§6.4.1: reads that do not ask for it are confirmed by a quorum all the same", () => {
    const replica = leader();
    replica.step({ reads: [{ id: 5, lease: false }] });
    expect(replica.reads).toEqual([]);
  });

  it("§6.4.1: a follower's read is answered by the leader's lease, without a round", () => {
    const replica = leader();
    const said = replica.receive({ type: "ReadIndex", group: 0, ...at, requestId: 3, lease: true });
    expect(said).toMatchObject([{ type: "ReadIndexResponse", to: 2, requestId: 3, index: 1 }]);
  });

  it("§6.4.1: where leases are not in use, asking for one changes nothing", () => {
    const replica = leading();
    replica.answer(accepted(at, 1));
    const [beat] = only("Heartbeat", replica.step({ reads: [read(0)] }));
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    replica.reads.length = 0;
    replica.step({ reads: [read(1)] });
    expect(replica.reads).toEqual([]);
  });

  it("§6.4.1: a lease does not hold before the leader's term has committed an entry", () => {
    const replica = leading({ options });
    const [beat] = only("Heartbeat", replica.step({ ticks: 1 }));
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    expect(readsAt(replica, 0)).toBeUndefined();
  });

  it("§6.4.1: in a step that tells no time there is no lease, and none begins", () => {
    const replica = leader();
    replica.core.step({ reads: [read(1)] });
    expect(replica.core.step({ reads: [read(2)] }).reads).toEqual([]);
    const timeless = leading({ options });
    timeless.answer(accepted(at, 1));
    const beat = timeless.core.step({ ticks: 1 }).messages.find(({ type }) => type === "Heartbeat");
    timeless.receive(heartbeatAnswer(at, beat?.type === "Heartbeat" ? beat.readRound : 0));
    expect(readsAt(timeless, 0)).toBeUndefined();
  });

  it("§6.4.1, §3.10: whoever told somebody to campaign at once has no lease in this term any more, even if nothing came of it", () => {
    const replica = leader();
    expect(only("TimeoutNow", replica.step({ transferTo: 2 }))).toHaveLength(1);
    expect(readsAt(replica, 104)).toBeUndefined();
    replica.step({ ticks: 10 });
    const [beat] = only("Heartbeat", replica.step({ ticks: 1 }));
    replica.receive(heartbeatAnswer(at, beat?.readRound));
    expect(replica.status).toMatchObject({ role: "leader", transferTarget: 0 });
    replica.reads.length = 0;
    expect(readsAt(replica, 104, 2)).toBeUndefined();
  });

  it("a lease ends with the leadership", () => {
    const replica = leader();
    replica.receive(heartbeatAnswer({ ...at, term: 2 }));
    expect(readsAt(replica, 103)).toBeNull();
  });

  it("and one of an earlier leadership is none in the next", () => {
    const replica = leader();
    replica.receive(heartbeatAnswer({ ...at, term: 2 }));
    replica.step({ ticks: 11 });
    replica.flush();
    replica.answer(vote({ ...at, term: 3 }));
    replica.answer(accepted({ ...at, term: 3 }, 2));
    expect(replica.status).toMatchObject({ role: "leader", commitIndex: 2 });
    expect(readsAt(replica, 104)).toBeUndefined();
  });
});

describe("what a lease rests on: the voters' shield", () => {
  const voter = { options: { ...options, preVote: false } };
  const rival = requestVote({ from: 3, to: 1, term: 6 }, 9, 5);

  it("§6.4.1: whoever was restarted grants no vote for an election timeout: it may have shielded somebody", () => {
    const replica = new TestReplica(1, voter);
    replica.step({ ticks: 50 });
    replica.answer(append({ ...at, term: 5 }, [0, 0], [5]));
    replica.restart();
    for (let tick = 0; tick < 10; tick++) {
      expect(replica.answer(rival)).toEqual([]);
      replica.step({ campaign: true });
      expect(replica.status).toMatchObject({ role: "follower", currentTerm: 5 });
      replica.step({ ticks: 1 });
    }
    expect(replica.answer(rival)).toMatchObject([{ granted: true }]);
  });

  it("so does one whose disk knows of no term: the answer to a heartbeat does not wait for the disk", () => {
    const replica = new TestReplica(1, voter);
    expect(replica.receive(heartbeat(at, 0, 4))).toEqual([heartbeatAnswer({ from: 1, to: 2, term: 1 }, 4)]);
    replica.restart();
    expect(replica.status.currentTerm).toBe(0);
    expect(replica.answer(rival)).toEqual([]);
  });

  it("a later term that somebody else's answer tells of does not end the shield", () => {
    const replica = new TestReplica(1, voter);
    replica.step({ ticks: 10 });
    replica.answer(heartbeat(at, 0, 4));
    replica.step({ ticks: 3 });
    // An answer to a question of long ago: its sender is in a later term, and leads nobody.
    replica.answer(preVoteAnswer({ from: 3, to: 1, term: 5 }, false));
    expect(replica.status).toMatchObject({ currentTerm: 5, leaderId: 0 });
    replica.step({ ticks: 6 });
    expect(replica.answer(rival)).toEqual([]);
    replica.step({ ticks: 1 });
    expect(replica.answer(rival)).toMatchObject([{ granted: true }]);
  });

  it("a shielding node does not campaign either, unless its leader tells it to", () => {
    const replica = new TestReplica(1, voter);
    replica.step({ ticks: 10 });
    replica.answer(heartbeat(at));
    replica.step({ campaign: true });
    expect(replica.traced("campaignRefused")).toMatchObject([{ obstacle: "shielding" }]);
    replica.answer(timeoutNow(at));
    expect(replica.status.role).toBe("candidate");
  });

  it("the timer makes it campaign when the shield has expired", () => {
    const replica = new TestReplica(1, voter);
    replica.answer(heartbeat(at));
    replica.step({ ticks: 11 });
    expect(replica.status.role).toBe("candidate");
  });

  it("nobody can make it forget its leader", () => {
    const replica = new TestReplica(1, voter);
    replica.answer(heartbeat(at));
    replica.step({ forgetLeader: true });
    expect(replica.status.leaderId).toBe(2);
  });

  it("a snapshot of the leader is its word like any other, and renews the shield", () => {
    const replica = new TestReplica(1, voter);
    replica.disk.snapshots.push({ metadata: snapshotOf(4, 1), state: [] });
    replica.step({ ticks: 10 });
    replica.answer(install(at, snapshotOf(4, 1)));
    replica.step({ ticks: 9 });
    expect(replica.answer(rival)).toEqual([]);
  });

  it("leases need check-quorum, or nobody would shield", () => {
    expect(() => new TestReplica(1, { options: { leaseReads: true, checkQuorum: false } })).toThrow(/leaseReads needs checkQuorum/);
  });

  it("no read by lease misses a write, though the leader is cut off and another is elected as soon as that is possible", () => {
    for (let pause = 0; pause < 12; pause++) {
      const cluster = new TestCluster(3, options);
      cluster.tick(15);
      const old = cluster.leader;
      cluster.tick(pause);
      cluster.cut(old.id);
      for (let tick = 0; tick < 40; tick++) {
        cluster.tick(1);
        const rivals = [...cluster.replicas.values()].filter(({ id, status }) => id !== old.id && status.role === "leader");
        for (const { id } of rivals) cluster.run(id, { proposals: [bytes("newer")] });
        old.reads.length = 0;
        cluster.run(old.id, { reads: [read(1_000 + tick)] });
        const served = old.reads.filter(({ index }) => index !== null);
        if (rivals.length > 0) expect(served).toEqual([]);
        else if (tick < 5) expect(served).toHaveLength(1);
      }
    }
  });
});
