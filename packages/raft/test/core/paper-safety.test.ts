import { createRandom } from "@octopii/testing";
import { describe, expect, it } from "vitest";
import type { Entry, Message } from "../../src/index.js";
import { bytes, group, TestCluster, TestReplica, texts } from "./cluster.js";
import { asInPaper, leading } from "./leading.js";
import { accepted, append, only, requestVote } from "./messages.js";

const options = asInPaper;

describe("Raft §5.4.1, election restriction", () => {
  it.each<[ours: number[], theirs: [number, number], granted: boolean]>([
    [[1], [1, 1], true],
    [[1], [2, 1], true],
    [[1, 1], [1, 1], false],
    [[1], [1, 2], true],
    [[1, 1, 1], [1, 2], true],
    [[2], [1, 1], false],
    [[2], [9, 1], false],
    [[], [0, 0], true],
  ])("§5.4.1: with the log %j, a candidate whose log ends at %j gets its vote: %s", (log, [lastIndex, lastTerm], granted) => {
    const voter = new TestReplica(1, { options, log, hardState: { currentTerm: 3 } });
    expect(voter.answer(requestVote({ from: 2, to: 1, term: 4 }, lastIndex, lastTerm))).toMatchObject([{ granted }]);
    expect(voter.disk.hardState).toMatchObject({ currentTerm: 4, votedFor: granted ? 2 : 0 });
  });

  it("§5.4.1: a candidate says with its request how far its log goes, in index and term", () => {
    const replica = new TestReplica(1, { options, log: [1, 1, 4] });
    replica.step({ campaign: true });
    expect(only("RequestVote", replica.flush())).toMatchObject([
      { lastLogIndex: 3, lastLogTerm: 4 },
      { lastLogIndex: 3, lastLogTerm: 4 },
    ]);
  });

  it("§5.4.1: nobody is elected who lacks a committed entry", () => {
    for (const behind of [1, 2, 3, 4, 5]) {
      const cluster = new TestCluster(5, options);
      cluster.elect(behind === 1 ? 2 : 1);
      const leader = cluster.leader.id;
      const other = [1, 2, 3, 4, 5].filter((id) => id !== leader && id !== behind);
      // Two of the others hold it: a bare majority with the leader.
      cluster.filter = ({ from, to }) => [leader, other[0], other[1]].includes(from) && [leader, other[0], other[1]].includes(to);
      cluster.run(leader, { proposals: [bytes("committed")] });
      expect(cluster.at(leader).status.commitIndex).toBe(2);
      cluster.stop(leader);
      cluster.heal();
      for (let attempt = 0; attempt < 5; attempt++) cluster.elect(behind);
      expect(cluster.at(behind).status.role).not.toBe("leader");
      const heir = other[0] ?? 0;
      for (let attempt = 0; attempt < 8 && cluster.at(heir).status.role !== "leader"; attempt++) cluster.elect(heir);
      expect(cluster.at(behind).state).toEqual(["committed"]);
    }
  });
});

describe("Raft §5.4.2, entries of earlier terms", () => {
  it.each([
    [1, 0],
    [2, 0],
    [3, 3],
  ])("§5.4.2: counts replicas only for entries of its own term: a majority at %i commits %i", (index, commits) => {
    const leader = leading({ options, log: [1, 2] });
    leader.answer(accepted({ from: 2, to: 1, term: 3 }, index), accepted({ from: 3, to: 1, term: 3 }, Math.min(index, 2)));
    expect(leader.status.commitIndex).toBe(commits);
  });

  it("§5.4.2: a new leader appends an entry of its own term at once, by which the earlier ones get committed", () => {
    const leader = leading({ options, log: [1, 2] });
    expect(leader.disk.entries[2]).toMatchObject({ index: 3, term: 3, kind: "noop" });
    leader.answer(accepted({ from: 3, to: 1, term: 3 }, 3));
    expect(texts(leader.applied)).toEqual(["1.1", "2.2"]);
  });

  it("§5.4.2, figure 8 (d): an entry of an earlier term that a majority holds can still be overwritten", () => {
    // S1 and S2 hold 2.2, S5 holds 3.2; S1 leads term 4 and has brought 2.2 to S3 as well.
    const s1 = leading({ options, configuration: group([1, 2, 3, 4, 5]), log: [1, 2], hardState: { currentTerm: 3 } });
    s1.answer(accepted({ from: 2, to: 1, term: 4 }, 2), accepted({ from: 3, to: 1, term: 4 }, 2));
    expect(s1.status.commitIndex).toBeLessThan(2);
    const s3 = new TestReplica(3, { options, log: [1, 2], hardState: { currentTerm: 4 } });
    s3.answer(append({ from: 5, to: 3, term: 5 }, [1, 1], [3]));
    expect(s3.disk.entries.map(({ term }) => term)).toEqual([1, 3]);
  });
});

describe("Raft §5.4.3, safety", () => {
  /** A cluster whose network loses a fifth of the messages and whose nodes crash; every state machine keeps what it was given. */
  function turmoil(seed: number): TestCluster {
    const random = createRandom(seed);
    const chance = (share: number): boolean => random.uint32() / 2 ** 32 < share;
    const cluster = new TestCluster(5, seed % 2 === 0 ? options : {});
    cluster.filter = () => chance(0.8);
    for (let turn = 0; turn < 150; turn++) {
      const id = 1 + (random.uint32() % 5);
      cluster.tick(1);
      cluster.run(id, { proposals: [bytes(`${turn}`)] });
      if (chance(0.05)) cluster.restart(id);
    }
    return cluster;
  }

  const seeds = [1, 2, 3, 4, 5, 6, 7, 8];

  it.each(seeds)("§5.4.3: in turmoil %i, no two state machines apply different entries at an index, and none twice", (seed) => {
    const cluster = turmoil(seed);
    const states = [...cluster.replicas.values()].map(({ state }) => state);
    const longest = states.reduce((best, state) => (state.length > best.length ? state : best));
    expect(longest.length).toBeGreaterThan(5);
    for (const state of states) expect(state).toEqual(longest.slice(0, state.length));
  });

  it.each(seeds)("§5.3, log matching: in turmoil %i, logs that hold the same entry hold the same before it", (seed) => {
    const cluster = turmoil(seed);
    const logs = [...cluster.replicas.values()].map(({ disk }) => disk.entries);
    for (const log of logs) for (const other of logs) expect(matching(log, other)).toBe(true);
  });

  it.each(seeds)("§5.2, election safety: in turmoil %i, no term has two leaders", (seed) => {
    const cluster = turmoil(seed);
    const leaders = new Map<number, number>();
    for (const { id, trace } of cluster.replicas.values()) {
      for (const event of trace) {
        if (event.type !== "role" || event.role !== "leader") continue;
        expect(leaders.get(event.term) ?? id).toBe(id);
        leaders.set(event.term, id);
      }
    }
    expect(leaders.size).toBeGreaterThan(0);
  });

  it("§5.4.3, leader completeness: what was committed in some term is in the log of every later leader", () => {
    const cluster = new TestCluster(5, options);
    const random = createRandom(11);
    const committed: string[] = [];
    for (let round = 0; round < 40; round++) {
      const leads = ({ status }: TestReplica): boolean => status.role === "leader";
      do cluster.elect(1 + (random.uint32() % 5));
      while (![...cluster.replicas.values()].some(leads));
      const { id, disk } = cluster.leader;
      expect(texts(disk.entries).slice(0, committed.length)).toEqual(committed);
      cluster.cut(id, 1 + (random.uint32() % 5), 1 + (random.uint32() % 5));
      const { commitIndex } = cluster.at(id).status;
      cluster.run(id, { proposals: [bytes(`${round}`)] });
      if (cluster.at(id).status.commitIndex > commitIndex) committed.splice(0, committed.length, ...cluster.at(id).state);
      cluster.heal();
    }
    expect(committed.length).toBeGreaterThan(10);
    expect(cluster.leader.status.currentTerm).toBeGreaterThan(10);
  });

  function matching(log: readonly Entry[], other: readonly Entry[]): boolean {
    let last = Math.min(log.length, other.length) - 1;
    while (last >= 0 && log[last]?.term !== other[last]?.term) last--;
    return log.slice(0, last + 1).every((entry, at) => entry.term === other[at]?.term && entry.data.join() === other[at]?.data.join());
  }
});

describe("Raft §5.5, crashes of followers and candidates", () => {
  it("§5.5: requests may be repeated: the second time they change nothing, and are not refused", () => {
    const follower = new TestReplica(1, { options });
    const messages: Message[] = [
      append({ from: 2, to: 1, term: 1 }, [0, 0], [1, 1], 1),
      append({ from: 2, to: 1, term: 1 }, [2, 1], [1]),
      requestVote({ from: 3, to: 1, term: 2 }, 3, 1),
    ];
    for (const message of messages) {
      const [first] = follower.answer(message);
      const before = [follower.status, [...follower.disk.entries], follower.disk.hardState];
      const [second] = follower.answer(message);
      expect([follower.status, follower.disk.entries, follower.disk.hardState]).toEqual(before);
      // What is committed is acknowledged as such, whatever the append says.
      if (first?.type === "AppendEntriesResponse") expect(second).toMatchObject({ rejected: false });
      else expect(second).toEqual(first);
    }
  });

  it("§5.5: an old append that comes late takes nothing back", () => {
    const follower = new TestReplica(1, { options });
    const [first, second] = [append({ from: 2, to: 1, term: 1 }, [0, 0], [1]), append({ from: 2, to: 1, term: 1 }, [0, 0], [1, 1, 1], 2)];
    follower.answer(second);
    follower.answer(first);
    expect(follower.status).toMatchObject({ lastIndex: 3, commitIndex: 2 });
  });

  it("§5.5: a follower that crashed before it answered gets the same request again, and takes it", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    const [sent] = only("AppendEntries", cluster.at(1).step({ proposals: [bytes("a")] })).filter(({ to }) => to === 3);
    // It has the entry in memory when it crashes.
    if (sent !== undefined) cluster.at(3).receive(sent);
    cluster.restart(3);
    expect(cluster.at(3).status.lastIndex).toBe(1);
    cluster.tick(3);
    expect(cluster.at(3).state).toEqual(["a"]);
  });

  it("§5.5: a candidate that crashes has its own vote still, and never votes for another in that term", () => {
    const replica = new TestReplica(1, { options });
    replica.step({ campaign: true });
    replica.flush();
    replica.restart();
    expect(replica.status).toMatchObject({ role: "follower", currentTerm: 1, votedFor: 1 });
    expect(replica.answer(requestVote({ from: 2, to: 1, term: 1 }))).toMatchObject([{ granted: false }]);
  });
});
