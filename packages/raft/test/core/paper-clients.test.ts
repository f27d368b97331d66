import { describe, expect, it } from "vitest";
import { bytes, group, TestCluster, TestReplica } from "./cluster.js";
import { leading } from "./leading.js";
import { accepted, heartbeat, heartbeatAnswer, only } from "./messages.js";

const read = (id: number) => ({ id, lease: false });

describe("Raft §8, client interaction", () => {
  it("§8: only the leader takes commands; others refuse, and say who leads", () => {
    const cluster = new TestCluster(3);
    cluster.elect(2);
    for (const id of [1, 3]) {
      cluster.run(id, { proposals: [bytes("a"), bytes("b")] });
      expect(cluster.at(id).proposed).toEqual({ count: 0, firstIndex: 2, term: 1, refusal: "notLeader" });
      expect(cluster.at(id).core.leaderId).toBe(2);
      expect(cluster.at(id).traced("proposalsDropped")).toEqual([{ type: "proposalsDropped", refusal: "notLeader", count: 2, term: 1 }]);
    }
  });

  it("§8: a node that lost touch with the leader does not send clients to it for ever", () => {
    const replica = new TestReplica(1);
    replica.answer(heartbeat({ from: 2, to: 1, term: 1 }));
    expect(replica.status.leaderId).toBe(2);
    replica.step({ ticks: 11 });
    expect(replica.status.leaderId).toBe(0);
  });

  it("§8: tells where each accepted command stands, so that its client can be answered when it is applied", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a"), bytes("b"), bytes("c")] });
    expect(cluster.at(1).proposed).toEqual({ count: 3, firstIndex: 2, term: 1, refusal: null });
    expect(cluster.at(1).disk.entries.map(({ index }) => index)).toEqual([1, 2, 3, 4]);
  });

  it("§8: a leader commits a blank entry at the start of its term, to find out what is committed", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a")] });
    cluster.stop(1);
    cluster.tick(15);
    const { leader } = cluster;
    expect(leader.disk.entries.at(-1)).toMatchObject({ kind: "noop", term: leader.status.currentTerm });
    expect(leader.disk.entries.at(-1)?.data).toHaveLength(0);
    expect(leader.status.commitIndex).toBe(3);
  });

  it("§8: the blank entry of a group's first leader holds the founders' configuration (departure)", () => {
    const cluster = new TestCluster(group([1, 2, 3], { learners: [7] }));
    cluster.elect(1);
    expect(cluster.at(3).disk.entries).toMatchObject([{ kind: "founding" }]);
    expect(cluster.at(3).status.configuration).toEqual(group([1, 2, 3], { learners: [7] }));
  });

  it("§8: before a read, the leader hears from a majority that nobody has deposed it", () => {
    const leader = leading({ configuration: group([1, 2, 3, 4, 5]) });
    for (const from of [2, 3]) leader.answer(accepted({ from, to: 1, term: 1 }, 1));
    const [beat] = only("Heartbeat", leader.step({ reads: [read(1)] }));
    expect(leader.reads).toEqual([]);
    leader.receive(heartbeatAnswer({ from: 2, to: 1, term: 1 }, beat?.readRound));
    expect(leader.reads).toEqual([]);
    leader.receive(heartbeatAnswer({ from: 5, to: 1, term: 1 }, beat?.readRound));
    expect(leader.reads).toEqual([{ id: 1, index: 1, refusal: null }]);
  });

  it("§8: a command that was proposed twice is in the log twice: telling them apart is the state machine's", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("same"), bytes("same")] });
    expect(cluster.at(2).state).toEqual(["same", "same"]);
  });
});
