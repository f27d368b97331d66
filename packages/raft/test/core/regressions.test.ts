import { createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import { type Message, RaftCore } from "../../src/index.js";
import { bytes, change, group, TestCluster, TestReplica, texts } from "./cluster.js";
import { leading } from "./leading.js";
import {
  accepted,
  append,
  heartbeat,
  heartbeatAnswer,
  install,
  only,
  preVote,
  preVoteAnswer,
  requestVote,
  snapshotOf,
  vote,
} from "./messages.js";

/**
 * What went wrong in other implementations in the wild, each with the reason why it cannot here. Those of them that are about drivers
 * (a peer that hangs, a snapshot held in memory, a flush that failed) have their tests beside the driver's.
 */
describe("bugs of others", () => {
  it("hashicorp/raft#695, divergence: a term must not move while the leader makes entries of the old one", () => {
    // There, heartbeats were handled on a thread of their own. Here there is one step at a time, and it takes messages before proposals.
    const replica = leading();
    replica.step({ messages: [heartbeat({ from: 2, to: 1, term: 7 })], proposals: [bytes("a")] });
    expect(replica.proposed).toEqual({ count: 0, firstIndex: 2, term: 7, refusal: "notLeader" });
    replica.flush();
    expect(replica.disk).toMatchObject({ hardState: { currentTerm: 7 }, entries: [{ term: 1, index: 1 }] });
  });

  it("databendlabs/openraft#1808, disjoint quorums: a change that was never committed does not outlive a snapshot", () => {
    // There, membership took effect with the log entry, and the entry's removal by a snapshot was forgotten. Here it takes effect when applied.
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(1);
    cluster.run(1, { change: { change: change("v4 v5 r2 r3"), mustKeepQuorum: false } });
    cluster.tick(30);
    for (let i = 0; i < 5; i++) cluster.run(cluster.leader.id, { proposals: [bytes(`${i}`)] });
    cluster.settle(cluster.leader.takeSnapshot(6));
    cluster.heal();
    cluster.tick(5);
    expect(
      cluster
        .at(1)
        .traced("append")
        .flatMap(({ entries }) => entries),
    ).toContainEqual(expect.objectContaining({ kind: "configuration" }));
    expect(cluster.at(1).status).toMatchObject({ role: "follower", configuration: group([1, 2, 3]), compactedIndex: 7 });
    cluster.restart(1);
    expect(cluster.at(1).status.configuration).toEqual(group([1, 2, 3]));
  });

  it("hashicorp/raft#697, livelock: a log that contradicts the snapshot is given up for it, and the follower goes on", () => {
    const replica = new TestReplica(1, { log: [1, 2, 2, 2, 2, 2, 2, 2], hardState: { currentTerm: 4, commitIndex: 1 } });
    replica.disk.snapshots.push({ metadata: snapshotOf(5, 3), state: [] });
    replica.answer(install({ from: 2, to: 1, term: 4 }, snapshotOf(5, 3)));
    expect(replica.status).toMatchObject({ lastIndex: 5, compactedIndex: 5 });
    // Neither the append that follows nor a second snapshot finds anything of the old log.
    expect(replica.answer(append({ from: 2, to: 1, term: 4 }, [5, 3], [4]))).toMatchObject([{ rejected: false, index: 6 }]);
    replica.restart();
    expect(replica.status).toMatchObject({ lastIndex: 6, compactedIndex: 5 });
  });

  it("hashicorp/raft#696: a transfer is not in progress for ever once its leader was deposed", () => {
    const replica = leading();
    replica.step({ transferTo: 2 });
    replica.receive(heartbeatAnswer({ from: 2, to: 1, term: 2 }));
    replica.step({ ticks: 11 });
    replica.flush();
    replica.answer(vote({ from: 3, to: 1, term: 3 }));
    replica.step({ proposals: [bytes("a")] });
    expect(replica.status).toMatchObject({ role: "leader", transferTarget: 0 });
    expect(replica.proposed?.count).toBe(1);
  });

  it("databendlabs/openraft#1810: one follower that never answers holds up neither the leader nor another follower", () => {
    // There, its RPC was awaited. Here nothing is: what it is sent is bounded, and then it is left alone.
    const replica = leading({ options: { inflightCountMax: 4 } });
    for (const from of [2, 3]) replica.receive(accepted({ from, to: 1, term: 1 }, 1));
    let sent = 0;
    for (let index = 2; index <= 100; index++) {
      sent += only("AppendEntries", replica.step({ proposals: [bytes("a")] })).filter(({ to }) => to === 3).length;
      replica.flush();
      replica.answer(accepted({ from: 2, to: 1, term: 1 }, index));
    }
    expect(replica.status.commitIndex).toBe(100);
    expect(sent).toBeLessThanOrEqual(4);
  });

  it("databendlabs/databend#20127, false quorum: acknowledgements of an earlier leadership count for nothing", () => {
    const replica = leading();
    replica.step({ proposals: [bytes("a"), bytes("b")] });
    replica.receive(heartbeatAnswer({ from: 3, to: 1, term: 4 }));
    replica.step({ ticks: 11 });
    replica.flush();
    replica.answer(vote({ from: 2, to: 1, term: 5 }));
    expect(replica.status).toMatchObject({ role: "leader", currentTerm: 5, lastIndex: 4 });
    // In between, another leader had it replace these entries.
    replica.answer(accepted({ from: 2, to: 1, term: 1 }, 3), accepted({ from: 3, to: 1, term: 4 }, 4));
    expect(replica.status.commitIndex).toBe(0);
    expect(replica.progress(2).matchIndex).toBe(0);
  });

  it("databendlabs/databend#16175, data loss: a later term that was merely seen is no vote", () => {
    const replica = new TestReplica(1, { options: { preVote: false } });
    replica.step({ campaign: true });
    replica.flush();
    replica.answer(
      heartbeatAnswer({ from: 2, to: 1, term: 1 }),
      accepted({ from: 2, to: 1, term: 1 }, 0),
      preVoteAnswer({ from: 2, to: 1, term: 2 }),
    );
    expect(replica.status.role).toBe("candidate");
    replica.answer(vote({ from: 2, to: 1, term: 2 }));
    // Granted or not, an answer of a later term only tells of that term.
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 2, votedFor: 0 });
  });

  it("etcd-io/raft#18 and lni/dragonboat#354: a follower whose disk was wiped brings neither itself nor the leader down", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    for (let i = 0; i < 5; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    const wiped = new TestReplica(3);
    cluster.replicas.set(3, wiped);
    cluster.tick(30);
    cluster.run(1, { proposals: [bytes("after")] });
    // Refused again and again, the leader must not send at the speed of the network what the other cannot take.
    let appends = 0;
    cluster.filter = ({ type, to }) => {
      if (type === "AppendEntries" && to === 3) appends++;
      return true;
    };
    cluster.tick(30);
    expect(appends).toBeLessThanOrEqual(30);
    expect(cluster.leader.id).toBe(1);
    expect(cluster.at(2).state).toHaveLength(6);
    expect(wiped.status.commitIndex).toBe(0);
    // It has forgotten its votes and acknowledgements, so it must not go on as it was: taken out and added anew, it begins with nothing.
    cluster.change(1, change("r3"));
    cluster.change(1, change("l3"));
    cluster.tick(2);
    expect(wiped.state).toHaveLength(6);
  });

  it("databendlabs/openraft#1772, term churn: a node that cannot win does not drive up the term, however often it tries", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a")] });
    for (let round = 0; round < 10; round++) {
      cluster.cut(3);
      cluster.tick(25);
      cluster.heal();
      cluster.run(3, { campaign: true });
      cluster.tick(2);
    }
    expect(cluster.leader).toMatchObject({ id: 1 });
    expect(cluster.leader.status.currentTerm).toBe(1);
  });

  it("hashicorp/raft#359 and rqlite#1922: linearizable reads cost no log entry and no write, on any node", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    const { lastIndex } = cluster.at(1).status;
    const written = [1, 2, 3].map((id) => cluster.at(id).disk.hardState);
    for (let round = 0; round < 20; round++)
      for (const id of [1, 2, 3]) cluster.run(id, { reads: [{ id: 10 * round + id, lease: false }] });
    for (const id of [1, 2, 3]) expect(cluster.at(id).reads.filter(({ index }) => index === lastIndex)).toHaveLength(20);
    expect(cluster.at(1).status.lastIndex).toBe(lastIndex);
    expect([1, 2, 3].map((id) => cluster.at(id).disk.hardState)).toEqual(written);
  });

  it("etcd-io/raft#239: a leader that was removed steps down by default", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.change(1, change("r1"));
    expect(cluster.at(1).status.role).toBe("follower");
  });

  it("etcd-io/etcd#8934, two nodes: the one that survives cannot be outvoted, and the loss of one stops it, openly", () => {
    // Instead of a witness there are learners and transfers; with two voters, nothing commits while one is away.
    const cluster = new TestCluster(2);
    cluster.elect(1);
    cluster.stop(2);
    cluster.run(1, { proposals: [bytes("a")] });
    expect(cluster.at(1).status.commitIndex).toBe(1);
    cluster.tick(20);
    expect(cluster.at(1).status.role).not.toBe("leader");
  });

  it("cockroachdb/cockroach#90314, out of memory: what is on its way to a follower is bounded in bytes, not only in messages", () => {
    const mebibyte = 1024 * 1024;
    const replica = leading({ options: { inflightCountMax: 128, inflightBytesMax: 4 * mebibyte, appendBytesMax: mebibyte } });
    replica.receive(accepted({ from: 2, to: 1, term: 1 }, 1));
    const data = new Uint8Array(mebibyte - 16);
    let bytesSent = 0;
    for (let i = 0; i < 40; i++) {
      for (const { to, entries } of only("AppendEntries", replica.step({ proposals: [data] })))
        if (to === 2) for (const entry of entries) bytesSent += entry.data.length;
    }
    expect(bytesSent).toBeLessThanOrEqual(4 * mebibyte);
    expect(bytesSent).toBeGreaterThan(3 * mebibyte);
  });

  it("lni/dragonboat#178, quorum lost by shrinking: a change that would leave none is refused when asked to be careful", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.tick(10);
    cluster.stop(3);
    cluster.tick(25);
    expect(cluster.change(1, change("r2"), true)).toMatchObject({ accepted: false, refusal: "wouldLoseQuorum" });
    expect(cluster.change(1, change("r3"), true)).toMatchObject({ accepted: true });
    expect(cluster.at(2).status.configuration).toEqual(group([1, 2]));
  });

  it("lni/dragonboat#156 and #369: a state machine that is behind its snapshot gets nothing that follows it", () => {
    const replica = new TestReplica(1);
    replica.disk.snapshots.push({ metadata: snapshotOf(5, 1), state: ["snapshot"] });
    replica.holdRestore = true;
    replica.answer(install({ from: 2, to: 1, term: 1 }, snapshotOf(5, 1)), append({ from: 2, to: 1, term: 1 }, [5, 1], [1], 6));
    expect(replica.applying).toBeNull();
    expect(replica.state).toEqual([]);
    // Restarted in the middle, it begins at the snapshot.
    replica.restart();
    expect(replica.state).toEqual(["snapshot", "1.6"]);
    // One that claims more than the log can prove is not started at all.
    const log = { compactedIndex: 0, lastIndex: 3, terms: [{ firstIndex: 0, term: 0 }], commitIndex: 9, appliedIndex: 9 };
    const start = { id: 1, group: 0, hardState: { currentTerm: 1, votedFor: 0, commitIndex: 9 }, configuration: group([1]), log };
    expect(() => new RaftCore(start, {}, createRandom(1))).toThrow(/committed 9 is beyond the last entry 3/);
  });

  it("rostamlabs/rostam#94, a failed flush: what was never reported durable is never promised, whatever else happens", () => {
    const replica = new TestReplica(1);
    const said: Message[] = [...replica.receive(append({ from: 2, to: 1, term: 1 }, [0, 0], [1], 1))];
    replica.step({ ticks: 9 });
    said.push(...replica.receive(append({ from: 2, to: 1, term: 1 }, [1, 1], [1], 2), heartbeat({ from: 2, to: 1, term: 1 }, 2)));
    replica.step({ ticks: 11 });
    said.push(...replica.receive(requestVote({ from: 3, to: 1, term: 2 }, 9, 1), preVote({ from: 3, to: 1, term: 3 }, 9, 1)));
    expect(said).toEqual([heartbeatAnswer({ from: 1, to: 2, term: 1 })]);
    expect(texts(replica.applied)).toEqual([]);
  });
});
