import { describe, expect, it } from "vitest";
import { bytes, change, group, TestCluster, TestReplica, texts } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, append, heartbeat, install, only, rejected, requestVote, snapshotOf } from "./messages.js";

const at = { from: 2, to: 1 };

/** A follower with a log of `terms`, and the data of a snapshot that a leader has sent it. */
function follower(log: number[], commitIndex: number, sent = snapshotOf(5, 3)): TestReplica {
  const replica = new TestReplica(1, { log, hardState: { currentTerm: 4, commitIndex } });
  replica.disk.snapshots.push({ metadata: sent, state: ["all", "of", "it"] });
  return replica;
}

describe("Raft §7, log compaction", () => {
  it("§7: each server takes snapshots by itself, and they cover just what is committed and applied", () => {
    const replica = new TestReplica(1, { log: [1, 1, 2, 2], hardState: { commitIndex: 3 } });
    expect(replica.core.describeSnapshot()).toEqual({ index: 3, term: 2, configuration: group([1, 2, 3]) });
    replica.takeSnapshot(3);
    expect(replica.status).toMatchObject({ snapshotIndex: 3, compactedIndex: 3, lastIndex: 4, role: "follower" });
  });

  it("§7: there is nothing to take a snapshot of before anything was applied", () => {
    expect(new TestReplica(1, { log: [1, 1] }).core.describeSnapshot()).toBeNull();
  });

  it("§7: keeps the last included term, for the check of the append that follows", () => {
    const replica = new TestReplica(1, { log: [1, 1, 2], hardState: { commitIndex: 3 } });
    replica.takeSnapshot(3);
    replica.restart();
    expect(replica.status).toMatchObject({ compactedIndex: 3, lastIndex: 3, appliedIndex: 3 });
    expect(replica.answer(append({ ...at, term: 3 }, [3, 1], [3]))).toMatchObject([{ rejected: true }]);
    expect(replica.answer(append({ ...at, term: 3 }, [3, 2], [3]))).toMatchObject([{ rejected: false, index: 4 }]);
  });

  it("§7: votes by the last included term where the log is empty", () => {
    const replica = new TestReplica(1, { log: [1, 1, 2], hardState: { commitIndex: 3 } });
    replica.takeSnapshot(3);
    expect(replica.answer(requestVote({ ...at, term: 3 }, 9, 1))).toMatchObject([{ granted: false }]);
    expect(replica.answer(requestVote({ from: 3, to: 1, term: 3 }, 3, 2))).toMatchObject([{ granted: true }]);
  });

  it("§7: keeps the latest configuration as of the last included index, for a restart", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.join(4);
    cluster.change(1, change("v4"));
    cluster.run(1, { proposals: [bytes("a")] });
    for (const id of [1, 2, 3, 4]) cluster.settle(cluster.at(id).takeSnapshot(3));
    for (const id of [1, 2, 3, 4]) cluster.restart(id);
    for (const id of [1, 2, 3, 4]) expect(cluster.at(id).status.configuration).toEqual(group([1, 2, 3, 4]));
    expect(cluster.at(4).state).toEqual(["a"]);
    cluster.elect(4);
    expect(cluster.leader.id).toBe(4);
  });

  it("§7: once a snapshot is complete, entries up to it may go; not before, and never more", () => {
    const replica = new TestReplica(1, { log: [1, 1, 1], hardState: { commitIndex: 3 } });
    expect(() => replica.step({ compactTo: 2 })).toThrow(/beyond the newest snapshot/);
    const other = new TestReplica(1, { log: [1, 1, 1], hardState: { commitIndex: 2 } });
    other.takeSnapshot();
    expect(other.status.compactedIndex).toBe(0);
    expect(() => other.step({ compactTo: 3 })).toThrow(/beyond the newest snapshot/);
  });

  it("§7: a leader sends its snapshot to a follower that needs what it has discarded, and only then", () => {
    const leader = leading({ log: [1, 1, 1, 1], hardState: { commitIndex: 4 } });
    leader.takeSnapshot(3);
    const near = leader.receive(rejected({ from: 2, to: 1, term: 2 }, 4, 3, 1));
    expect(near).toMatchObject([{ type: "AppendEntries", prevLogIndex: 3, prevLogTerm: 1 }]);
    const far = leader.receive(rejected({ from: 3, to: 1, term: 2 }, 4, 2, 1));
    expect(far).toEqual([install({ from: 1, to: 3, term: 2 }, snapshotOf(4, 1))]);
    expect(leader.progress(3)).toMatchObject({ state: "snapshot", pendingSnapshot: 4, paused: true });
  });

  it("§7: a follower that knows less discards its whole log for the snapshot, unsaved entries and contradictions included", () => {
    const replica = follower([1, 2, 2, 2, 2, 2, 2], 1);
    const answer = replica.answer(install({ ...at, term: 4 }, snapshotOf(5, 3)));
    expect(answer).toEqual([accepted({ from: 1, to: 2, term: 4 }, 5)]);
    expect(replica.status).toMatchObject({ compactedIndex: 5, lastIndex: 5, commitIndex: 5, appliedIndex: 5, durableIndex: 5 });
    expect(replica.disk).toMatchObject({ compactedIndex: 5, compactedTerm: 3, entries: [], hardState: { commitIndex: 5 } });
    expect(replica.state).toEqual(["all", "of", "it"]);
    expect(replica.answer(append({ ...at, term: 4 }, [5, 3], [4], 6))).toMatchObject([{ rejected: false, index: 6 }]);
    expect(texts(replica.applied).at(-1)).toBe("4.6");
  });

  it("§7: of a snapshot of a prefix of its log, it keeps what follows (departure: and what is covered, until it compacts by itself)", () => {
    const replica = follower([1, 2, 2, 3, 3, 3, 3], 1);
    const answer = replica.answer(install({ ...at, term: 4 }, snapshotOf(5, 3)));
    // What it acknowledges is what is committed; the leader goes on from there.
    expect(answer).toEqual([accepted({ from: 1, to: 2, term: 4 }, 5)]);
    expect(replica.status).toMatchObject({ compactedIndex: 0, lastIndex: 7, commitIndex: 5, appliedIndex: 5 });
    expect(replica.state).toEqual(["1.1", "2.2", "2.3", "3.4", "3.5"]);
    expect(replica.traced("snapshot")).toMatchObject([{ phase: "fastForwarded" }]);
  });

  it("§7: takes over the snapshot's configuration with it", () => {
    const metadata = snapshotOf(5, 3, group([1, 2, 4], { votersOutgoing: [1, 2, 3], autoLeave: true }));
    const replica = follower([], 0, metadata);
    replica.answer(install({ ...at, term: 4 }, metadata));
    expect(replica.status.configuration).toEqual(metadata.configuration);
    replica.restart();
    expect(replica.status.configuration).toEqual(metadata.configuration);
  });

  it("§7: acknowledges a snapshot only when it has taken the log's place on the disk (RULE 1)", () => {
    const replica = follower([], 0);
    expect(replica.receive(install({ ...at, term: 4 }, snapshotOf(5, 3)))).toEqual([]);
    replica.restart();
    expect(replica.status).toMatchObject({ lastIndex: 0, commitIndex: 0 });
  });

  it("§7: a snapshot of an earlier term's leader is ignored", () => {
    const replica = follower([], 0);
    expect(replica.answer(install({ ...at, term: 3 }, snapshotOf(5, 3)))).toEqual([]);
    expect(replica.status.lastIndex).toBe(0);
    expect(replica.traced("drop")).toMatchObject([{ reason: "staleTerm" }]);
  });

  it("§7: the follower goes on from the snapshot with ordinary appends, and loses no entry", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(3);
    for (let i = 0; i < 10; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    cluster.settle(cluster.at(1).takeSnapshot(11));
    for (let i = 10; i < 15; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    cluster.heal();
    cluster.tick(3);
    expect(cluster.at(3).state).toEqual(Array.from({ length: 15 }, (_, i) => `${i}`));
    expect(cluster.at(3).status.compactedIndex).toBe(11);
    expect(cluster.at(1).progress(3)).toMatchObject({ state: "replicate", matchIndex: 16 });
    cluster.restart(3);
    cluster.tick(2);
    expect(cluster.at(3).state).toHaveLength(15);
  });

  it("§7: a heartbeat does not commit past what a snapshot left in the log", () => {
    const replica = follower([], 0);
    replica.answer(install({ ...at, term: 4 }, snapshotOf(5, 3)));
    replica.answer(heartbeat({ ...at, term: 4 }, 6));
    expect(replica.status.commitIndex).toBe(5);
    expect(only("HeartbeatResponse", replica.answer(heartbeat({ ...at, term: 4 }, 5)))).toHaveLength(1);
  });
});
