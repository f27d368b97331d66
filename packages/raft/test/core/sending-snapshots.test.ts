import { describe, expect, it } from "vitest";
import { bytes, change, group, TestCluster, type TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, heartbeatAnswer, only, rejected, snapshotOf } from "./messages.js";

describe("a leader sends a snapshot", () => {
  const peer = { from: 3, to: 1, term: 2 };

  /** A leader that has compacted, and whose follower 3 needs what is gone. */
  function leader(): TestReplica {
    const replica = leading({ log: [1, 1, 1, 1], hardState: { commitIndex: 4 } });
    replica.takeSnapshot(4);
    expect(replica.receive(rejected(peer, 4, 1, 1))).toMatchObject([{ type: "InstallSnapshot", to: 3 }]);
    return replica;
  }

  it("once; until its fate is known, nothing else goes to that follower but heartbeats", () => {
    const replica = leader();
    replica.step({ proposals: [bytes("a")] });
    expect(replica.receive(heartbeatAnswer(peer))).toEqual([]);
    expect(replica.step({ ticks: 1 }).filter(({ to }) => to === 3)).toMatchObject([{ type: "Heartbeat" }]);
    expect(replica.progress(3)).toMatchObject({ state: "snapshot", pendingSnapshot: 4 });
  });

  it("delivered: it probes behind the snapshot when the follower speaks", () => {
    const replica = leader();
    expect(replica.step({ snapshotReports: [{ peer: 3, delivered: true }] })).toEqual([]);
    expect(replica.progress(3)).toMatchObject({ state: "probe", nextIndex: 5, paused: true });
    expect(replica.receive(accepted(peer, 4))).toMatchObject([{ type: "AppendEntries", prevLogIndex: 4, entries: [{ index: 5 }] }]);
  });

  it("the follower's acknowledgement alone does as well, without any report", () => {
    const replica = leader();
    replica.receive(accepted(peer, 4));
    expect(replica.progress(3)).toMatchObject({ state: "replicate", matchIndex: 4 });
    expect(replica.traced("progress").at(-1)).toMatchObject({ cause: "snapshotCaughtUp" });
    replica.step({ snapshotReports: [{ peer: 3, delivered: false }] });
    expect(replica.progress(3).state).toBe("replicate");
  });

  it("failed: it goes back to where the follower was, and sends it again when that answers", () => {
    const replica = leader();
    replica.step({ snapshotReports: [{ peer: 3, delivered: false }] });
    expect(replica.progress(3)).toMatchObject({ state: "probe", matchIndex: 0, nextIndex: 1, pendingSnapshot: 0 });
    expect(replica.receive(heartbeatAnswer(peer))).toMatchObject([{ type: "InstallSnapshot", to: 3 }]);
  });

  it("failed many times, and delivered at last: the follower is complete", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(3);
    for (let i = 0; i < 9; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    cluster.settle(cluster.at(1).takeSnapshot(9));
    cluster.filter = ({ type }) => type !== "InstallSnapshot";
    cluster.tick(8);
    expect(
      cluster
        .at(1)
        .traced("progress")
        .filter(({ cause }) => cause === "snapshotFailed").length,
    ).toBeGreaterThan(4);
    cluster.heal();
    cluster.tick(2);
    expect(cluster.at(3).state).toHaveLength(9);
  });

  it("not to a follower that may be dead: that would be work for nothing; when it speaks, it gets one", () => {
    const replica = leading({ log: [1, 1, 1, 1], hardState: { commitIndex: 4 } });
    for (const from of [2, 3]) replica.receive(accepted({ ...peer, from }, 5));
    replica.step({ ticks: 10 });
    replica.step({ proposals: [bytes("a"), bytes("b")] });
    replica.flush();
    replica.answer(accepted({ ...peer, from: 2 }, 7));
    replica.takeSnapshot(7);
    expect(replica.step({ unreachable: [3], proposals: [bytes("c")] }).map(({ type, to }) => [type, to])).toEqual([["AppendEntries", 2]]);
    expect(replica.progress(3)).toMatchObject({ state: "probe", nextIndex: 6, recentlyActive: false });
    expect(only("InstallSnapshot", replica.receive(heartbeatAnswer(peer)))).toHaveLength(1);
  });

  it("to a follower that catches up with the log, but not to where that begins, the newer snapshot still", () => {
    const replica = leader();
    replica.receive(accepted(peer, 2));
    expect(replica.progress(3)).toMatchObject({ state: "snapshot", matchIndex: 2 });
  });

  it("its newest: one that it took while the first was on its way", () => {
    const replica = leader();
    replica.flush();
    replica.answer(accepted({ ...peer, from: 2 }, 5));
    replica.takeSnapshot(5);
    replica.step({ snapshotReports: [{ peer: 3, delivered: false }] });
    expect(replica.receive(heartbeatAnswer(peer))).toMatchObject([{ type: "InstallSnapshot", snapshot: { index: 5 } }]);
  });

  it("an older one than it has is not news", () => {
    const replica = leader();
    replica.step({ snapshot: snapshotOf(3, 1) });
    expect(replica.status.snapshotIndex).toBe(4);
    replica.step({ compactTo: 2 });
    expect(replica.status.compactedIndex).toBe(4);
  });

  it("to several, while others get entries; the group commits all the time", () => {
    const cluster = new TestCluster(5);
    cluster.elect(1);
    cluster.filter = ({ from, to }) => from < 4 && to < 4;
    for (let i = 0; i < 9; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    cluster.settle(cluster.at(1).takeSnapshot(9));
    cluster.change(1, change("r5"));
    cluster.heal();
    cluster.tick(3);
    expect(cluster.at(4).state).toHaveLength(9);
    expect(cluster.at(4).status.configuration).toEqual(group([1, 2, 3, 4]));
    expect(cluster.at(5).state).toHaveLength(0);
  });
});
