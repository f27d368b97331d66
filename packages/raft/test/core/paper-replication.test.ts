import { describe, expect, it } from "vitest";
import { bytes, group, TestCluster, TestReplica, texts } from "./cluster.js";
import { asInPaper, leading } from "./leading.js";
import { accepted, append, heartbeat, heartbeatAnswer, only, rejected } from "./messages.js";

const options = asInPaper;
const at = { from: 2, to: 1 };

describe("Raft §5.3, log replication: the leader", () => {
  it("§5.3: appends a command to its own log, and sends it to all others at once", () => {
    const leader = leading({ options });
    leader.answer(accepted({ from: 2, to: 1, term: 1 }, 1), accepted({ from: 3, to: 1, term: 1 }, 1));
    const sent = only("AppendEntries", leader.step({ proposals: [bytes("a")] }));
    expect(leader.status.lastIndex).toBe(2);
    const entry = { index: 2, term: 1, kind: "command", data: bytes("a") };
    expect(sent).toMatchObject([
      { to: 2, prevLogIndex: 1, prevLogTerm: 1, entries: [entry] },
      { to: 3, prevLogIndex: 1, prevLogTerm: 1, entries: [entry] },
    ]);
  });

  it.each([
    [1, 0],
    [3, 1],
    [4, 2],
    [5, 2],
  ])("§5.3: commits an entry as soon as a majority holds it, and applies it: of %i, that takes %i besides the leader", (size, needed) => {
    const leader = leading({ options, configuration: group(Array.from({ length: size }, (_, i) => i + 1)) });
    for (let from = 2; from <= size; from++) leader.answer(accepted({ from, to: 1, term: 1 }, 1));
    leader.step({ proposals: [bytes("a")] });
    leader.flush();
    for (let from = 2; from <= needed + 1; from++) {
      expect(leader.status.commitIndex).toBe(1);
      leader.answer(accepted({ from, to: 1, term: 1 }, 2));
    }
    expect(leader.status).toMatchObject({ commitIndex: 2, appliedIndex: 2 });
    expect(texts(leader.applied)).toEqual(["a"]);
  });

  it("§5.3: tries again for ever, committed or not, until every follower has stored everything", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.filter = ({ to, type }) => to !== 3 || type === "Heartbeat";
    cluster.run(1, { proposals: [bytes("a")] });
    cluster.tick(50);
    expect(cluster.at(1).status.commitIndex).toBe(2);
    expect(cluster.at(3).status.lastIndex).toBe(1);
    cluster.heal();
    cluster.tick(2);
    expect(cluster.at(3).state).toEqual(["a"]);
  });

  it("§5.3: one slow follower holds up nobody", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(3);
    for (let i = 0; i < 50; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    expect(cluster.at(2).state).toHaveLength(50);
  });

  it("§5.3: committing an entry commits all before it, those of earlier leaders included", () => {
    const leader = leading({ options, log: [1, 2, 3] });
    expect(leader.status).toMatchObject({ commitIndex: 0, lastIndex: 4 });
    leader.answer(accepted({ ...at, term: 4 }, 4));
    expect(texts(leader.applied)).toEqual(["1.1", "2.2", "3.3"]);
  });

  it("§5.3: tells of its commit index with every append and heartbeat, so that followers learn of it", () => {
    const leader = leading({ options });
    leader.answer(accepted({ ...at, term: 1 }, 1));
    expect(only("AppendEntries", leader.step({ proposals: [bytes("a")] }))).toMatchObject([{ to: 2, leaderCommit: 1 }]);
    expect(only("Heartbeat", leader.step({ ticks: 1 }))).toMatchObject([
      { to: 2, commitIndex: 1 },
      // It is not known to hold anything: a commit index could make it commit another leader's entries.
      { to: 3, commitIndex: 0 },
    ]);
  });

  it("§5.3: begins with every follower after the last entry of its own log", () => {
    const leader = new TestReplica(1, { options, log: [1, 1, 2] });
    leader.step({ campaign: true });
    leader.flush();
    const sent = only("AppendEntries", leader.receive({ type: "RequestVoteResponse", group: 0, ...at, term: 3, granted: true }));
    expect(sent).toMatchObject([
      { to: 2, prevLogIndex: 3, prevLogTerm: 2, entries: [{ index: 4, kind: "noop" }] },
      { to: 3, prevLogIndex: 3, prevLogTerm: 2, entries: [{ index: 4, kind: "noop" }] },
    ]);
  });

  it("§5.3: after a refusal it goes back and tries again, to the first entry if need be", () => {
    const leader = leading({ options, log: [1, 1, 1] });
    const first = leader.receive(rejected({ ...at, term: 2 }, 3, 0, 0));
    expect(only("AppendEntries", first)).toMatchObject([
      { prevLogIndex: 0, prevLogTerm: 0, entries: [{ index: 1 }, { index: 2 }, { index: 3 }, { index: 4 }] },
    ]);
    leader.receive(accepted({ ...at, term: 2 }, 4));
    expect(leader.progress(2)).toMatchObject({ state: "replicate", matchIndex: 4, nextIndex: 5 });
  });

  it("§5.3: one refusal per conflicting term is enough to find where the logs match", () => {
    // The follower ends with 3 3 3 where the leader has 1 1 ... 1 5: its hint spares the leader four refusals.
    const leader = leading({ options, log: [1, 1, 1, 1, 1, 5] });
    const sent = only("AppendEntries", leader.receive(rejected({ ...at, term: 6 }, 6, 6, 3)));
    expect(sent).toMatchObject([{ prevLogIndex: 5, prevLogTerm: 1 }]);
    const follower = new TestReplica(3, { options, log: [1, 3, 3, 3, 3, 3], hardState: { currentTerm: 6 } });
    expect(follower.answer(append({ from: 1, to: 3, term: 6 }, [5, 1], []))).toMatchObject([{ rejected: true, hintIndex: 1, hintTerm: 1 }]);
  });

  it("§5.3: never overwrites or deletes entries of its own log; it only appends", () => {
    const leader = leading({ options, log: [1, 1] });
    const before = leader.status;
    leader.answer(append({ ...at, term: 2 }, [0, 0], [2, 2]));
    expect(leader.status).toMatchObject({ role: "leader", lastIndex: before.lastIndex, currentTerm: 2 });
    expect(leader.traced("drop").at(-1)).toMatchObject({ reason: "secondLeader" });
    expect(leader.traced("truncate")).toEqual([]);
  });
});

describe("Raft §5.3, log replication: followers", () => {
  const follower = (log: number[], commitIndex = 0): TestReplica =>
    new TestReplica(1, { options, log, hardState: { currentTerm: 6, commitIndex } });
  const terms = (replica: TestReplica): number[] => replica.disk.entries.map(({ term }) => term);

  it.each<[log: number[], after: [number, number], index: number | null]>([
    [[], [0, 0], 0],
    [[1, 2], [2, 2], 2],
    [[1, 2], [1, 1], 1],
    [[], [1, 1], null],
    [[1, 2], [3, 2], null],
    [[1, 2], [2, 3], null],
    [[1, 3], [2, 2], null],
  ])("§5.3: with the log %j, it takes what follows %j only if it holds that entry: %s", (log, after, index) => {
    const answer = follower(log).answer(append({ ...at, term: 6 }, after, []));
    expect(answer).toMatchObject([index === null ? { rejected: true, index: after[0] } : { rejected: false, index }]);
  });

  it.each<[log: number[], after: [number, number], sent: number[], result: number[]]>([
    [[1, 2], [2, 2], [3], [1, 2, 3]],
    [
      [1, 2],
      [1, 1],
      [3, 4],
      [1, 3, 4],
    ],
    [[1], [0, 0], [2, 3], [2, 3]],
    [
      [1, 2, 2, 2],
      [0, 0],
      [1, 3],
      [1, 3],
    ],
    // Nothing in these contradicts the log, so nothing is removed: a later message may have come first.
    [
      [1, 2, 3],
      [0, 0],
      [1, 2],
      [1, 2, 3],
    ],
    [[1, 2, 3], [1, 1], [], [1, 2, 3]],
    [
      [1, 2],
      [1, 1],
      [2, 3],
      [1, 2, 3],
    ],
  ])("§5.3: with the log %j, and after %j entries of terms %j, its log becomes %j", (log, after, sent, result) => {
    const replica = follower(log);
    replica.answer(append({ ...at, term: 6 }, after, sent));
    expect(terms(replica)).toEqual(result);
  });

  it.each([
    [0, 0],
    [2, 2],
    [3, 3],
    [9, 3],
  ])(
    "§5.3: told of commit index %i with an append that ends at 3, it commits up to %i, and applies in log order",
    (leaderCommit, commits) => {
      const replica = follower([1, 2, 2, 2]);
      replica.answer(append({ ...at, term: 6 }, [2, 2], [2], leaderCommit));
      expect(replica.status.commitIndex).toBe(commits);
      expect(texts(replica.applied)).toEqual(["1.1", "2.2", "2.3"].slice(0, commits));
    },
  );

  it("§5.3: commits by a heartbeat what the leader knows it to hold", () => {
    const replica = follower([1, 2]);
    replica.answer(heartbeat({ ...at, term: 6 }, 2));
    expect(texts(replica.applied)).toEqual(["1.1", "2.2"]);
  });

  it("§5.3: to an append from before its commit index, a follower answers with that, and not with a tail that may be another's", () => {
    const log = [1, 1, 2, 2];
    const replica = new TestReplica(1, { options, log, hardState: { currentTerm: 6, commitIndex: 2 } });
    expect(replica.answer(append({ ...at, term: 6 }, [1, 1], [1], 1))).toMatchObject([
      { type: "AppendEntriesResponse", rejected: false, index: 2 },
    ]);
  });

  it("§5.3: an answer to a heartbeat brings on what was lost", () => {
    const leader = leading({ options, log: [1] });
    expect(only("AppendEntries", leader.receive(heartbeatAnswer({ ...at, term: 2 })))).toMatchObject([
      { prevLogIndex: 1, entries: [{ index: 2 }] },
    ]);
  });

  /** Figure 7; the leader's log is 1 1 1 4 4 5 5 6 6 6. */
  it.each<[string, number[]]>([
    ["a", [1, 1, 1, 4, 4, 5, 5, 6, 6]],
    ["b", [1, 1, 1, 4]],
    ["c", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 6]],
    ["d", [1, 1, 1, 4, 4, 5, 5, 6, 6, 6, 7, 7]],
    ["e", [1, 1, 1, 4, 4, 4, 4]],
    ["f", [1, 1, 1, 2, 2, 2, 3, 3, 3, 3, 3]],
  ])("§5.3, figure 7 (%s): the follower's log becomes the leader's, by at most one refusal per term", (_, log) => {
    const leader = leading({ options: { ...options }, log: [1, 1, 1, 4, 4, 5, 5, 6, 6, 6], hardState: { currentTerm: 7 } });
    const replica = new TestReplica(2, { options, log, hardState: { currentTerm: 7 } });
    let messages = leader.receive(heartbeatAnswer({ ...at, term: 8 })).filter(({ to }) => to === 2);
    for (let round = 0; round < 10 && messages.length > 0; round++)
      messages = leader.receive(...replica.answer(...messages)).filter(({ to }) => to === 2);
    expect(replica.disk.entries).toEqual(leader.disk.entries);
    expect(replica.traced("appendRefused").length).toBeLessThanOrEqual(2);
  });
});
