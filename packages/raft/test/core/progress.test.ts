import { describe, expect, it } from "vitest";
import { bytes, group, TestCluster, TestReplica } from "./cluster.js";
import { leading, propose, replicating, said } from "./leading.js";
import { accepted, append, heartbeatAnswer, only, rejected } from "./messages.js";

const at = { from: 2, to: 1, term: 1 };

describe("probe", () => {
  it("sends one message, and nothing more until something comes back", () => {
    const replica = leading();
    expect(replica.progress(2)).toMatchObject({ state: "probe", matchIndex: 0, nextIndex: 1, paused: true });
    expect(propose(replica, "a")).toEqual([]);
    expect(propose(replica, "b")).toEqual([]);
    // A heartbeat's answer says that it is alive: what was sent is probably lost.
    expect(said(replica.receive(heartbeatAnswer(at)))).toEqual([[0, 3]]);
    expect(replica.receive(heartbeatAnswer({ ...at, from: 3 })).length).toBeGreaterThan(0);
  });

  it("ends when an append is accepted", () => {
    const replica = leading();
    replica.receive(accepted(at, 1));
    expect(replica.progress(2)).toMatchObject({ state: "replicate", matchIndex: 1, nextIndex: 2, paused: false });
  });

  it("a follower that has everything leaves it by the answer to an empty append", () => {
    const replica = replicating();
    replica.step({ unreachable: [2] });
    expect(replica.progress(2).state).toBe("probe");
    expect(said(replica.receive(heartbeatAnswer(at)))).toEqual([[1, 0]]);
    replica.receive(accepted(at, 1));
    expect(replica.progress(2).state).toBe("replicate");
  });

  it("trouble with the network changes nothing: it sends one message at a time as it is", () => {
    const replica = leading();
    const before = replica.progress(3);
    replica.step({ unreachable: [3] });
    expect(replica.progress(3)).toEqual(before);
    expect(replica.traced("progress")).toMatchObject([{ cause: "unreachable" }]);
  });

  it("only the answer to the latest probe counts", () => {
    const replica = leading({ log: [1, 1, 1, 1, 1] });
    const stale = { from: 2, to: 1, term: 2 };
    replica.receive(rejected(stale, 5, 3, 1));
    expect(replica.progress(2)).toMatchObject({ nextIndex: 4, matchIndex: 0 });
    expect(said(replica.receive(rejected(stale, 5, 0, 0)))).toEqual([]);
    expect(replica.progress(2).nextIndex).toBe(4);
  });

  it("an acknowledgement of less than is known changes nothing", () => {
    const replica = replicating();
    propose(replica, "a");
    replica.receive(accepted(at, 2));
    const before = replica.progress(2);
    expect(replica.receive(accepted(at, 1))).toEqual([]);
    expect(replica.progress(2)).toEqual(before);
  });
});

describe("replicate", () => {
  it("streams ahead of the acknowledgements", () => {
    const replica = replicating();
    expect(said(propose(replica, "a"))).toEqual([[1, 1]]);
    expect(said(propose(replica, "b", "c"))).toEqual([[2, 2]]);
    expect(replica.progress(2)).toMatchObject({ matchIndex: 1, nextIndex: 5, inflight: 2 });
    replica.receive(accepted(at, 2));
    expect(replica.progress(2)).toMatchObject({ matchIndex: 2, inflight: 1 });
    replica.receive(accepted(at, 4));
    expect(replica.progress(2)).toMatchObject({ matchIndex: 4, inflight: 0 });
  });

  it("falls back to probing, behind the match, when an append is refused or the network fails", () => {
    for (const trouble of [
      (replica: TestReplica) => replica.receive(rejected(at, 2, 1, 1)),
      (replica: TestReplica) => replica.step({ unreachable: [2] }),
    ]) {
      const replica = replicating();
      propose(replica, "a");
      propose(replica, "b");
      trouble(replica);
      expect(replica.progress(2)).toMatchObject({ state: "probe", matchIndex: 1, nextIndex: 2, inflight: 0 });
    }
  });

  it("a refusal that is older than what was acknowledged since changes nothing", () => {
    const replica = replicating();
    propose(replica, "a");
    replica.receive(accepted(at, 2));
    replica.receive(rejected(at, 1, 0, 0));
    expect(replica.progress(2)).toMatchObject({ state: "replicate", matchIndex: 2 });
  });

  it("an append that was lost shows by the next one's refusal, and is sent again", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(3);
    cluster.at(1).step({ proposals: [bytes("lost")] });
    cluster.heal();
    cluster.run(1, { proposals: [bytes("next")] });
    cluster.tick(1);
    expect(cluster.at(3).state).toEqual(["lost", "next"]);
  });

  it("trouble with strangers, and with itself, is none", () => {
    const replica = replicating();
    replica.step({
      unreachable: [1, 9],
      snapshotReports: [
        { peer: 9, delivered: true },
        { peer: 2, delivered: true },
      ],
      fetched: [{ peer: 9, from: 1, entries: [] }],
    });
    expect(replica.progress(2).state).toBe("replicate");
    expect(replica.traced("progress")).toEqual([]);
  });
});

describe("commit indexes", () => {
  it("a follower that has everything, and not the last commit index, is told without waiting for a heartbeat", () => {
    const replica = leading({ configuration: group([1, 2, 3]) });
    for (const from of [2, 3]) replica.receive(accepted({ ...at, from }, 1));
    propose(replica, "a");
    replica.flush();
    const sent = only("AppendEntries", replica.receive(accepted(at, 2)));
    expect(sent).toMatchObject([
      { to: 2, entries: [], leaderCommit: 2 },
      { to: 3, entries: [], leaderCommit: 2 },
    ]);
    expect(replica.receive(accepted({ ...at, from: 3 }, 2))).toEqual([]);
  });

  it("one that acknowledges late what was committed long ago is told then", () => {
    const replica = leading({ configuration: group([1, 2, 3]), log: [] });
    replica.receive(accepted({ ...at, from: 3 }, 1));
    expect(replica.receive(accepted(at, 1))).toEqual([]);
    expect(only("AppendEntries", replica.step({}))).toMatchObject([{ to: 2, entries: [], leaderCommit: 1 }]);
  });

  it("an acknowledgement of what this leader never had is malformed", () => {
    const replica = replicating();
    replica.receive(accepted(at, 50));
    expect(replica.traced("drop").at(-1)).toMatchObject({ reason: "malformed" });
    expect(replica.progress(2).matchIndex).toBe(1);
  });

  it("a follower takes no word of a commit beyond its log, and answers no such heartbeat", () => {
    const replica = new TestReplica(2);
    replica.answer(append({ from: 1, to: 2, term: 1 }, [0, 0], [1]));
    expect(replica.answer({ type: "Heartbeat", group: 0, from: 1, to: 2, term: 1, commitIndex: 2, readRound: 0 })).toEqual([]);
    expect(replica.status.commitIndex).toBe(0);
  });
});
