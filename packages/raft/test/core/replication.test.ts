import { describe, expect, it } from "vitest";
import type { AppendEntries, Message } from "../../src/index.js";
import { bytes, TestCluster, texts } from "./cluster.js";

const read = (id: number) => ({ id, lease: false });

describe("replication", () => {
  it("commits through a quorum and applies everywhere, in order (Raft §5.3)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a"), bytes("b")] });
    cluster.run(1, { proposals: [bytes("c")] });
    for (const id of [1, 2, 3]) expect(texts(cluster.at(id).applied)).toEqual(["a", "b", "c"]);
  });

  it("acknowledges an append only when it is durable (RULE 1)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    const append = cluster
      .at(1)
      .step({ proposals: [bytes("a")] })
      .find(({ to }) => to === 2);
    const follower = cluster.at(2);
    expect(follower.step({ messages: append === undefined ? [] : [append] })).toEqual([]);
    expect(follower.flush()).toMatchObject([{ type: "AppendEntriesResponse", rejected: false, index: 2 }]);
  });

  it("does not count the leader's own copy before it is durable", () => {
    const cluster = new TestCluster(3);
    const leader = cluster.elect(1);
    const messages = leader.step({ proposals: [bytes("a")] });
    const acknowledgement = messages.flatMap((m) =>
      m.to === 2 ? [...cluster.at(2).step({ messages: [m] }), ...cluster.at(2).flush()] : [],
    );
    leader.step({ messages: acknowledgement });
    expect(leader.core.status().commitIndex).toBe(1);
    leader.flush();
    expect(leader.core.status().commitIndex).toBe(2);
  });

  it("never commits an entry of an earlier term by counting (Raft §5.4.2, figure 8)", () => {
    // One entry per message, so that the old entry reaches a majority before the new term's no-op does.
    const cluster = new TestCluster(5, { appendBytesMax: 1, preVote: false, checkQuorum: false });
    cluster.elect(1);
    cluster.cut(1, 2);
    cluster.run(1, { proposals: [bytes("old")] });
    expect(cluster.at(2).core.status().lastIndex).toBe(2);
    cluster.filter = ({ from, to, type }) => ![from, to].some((id) => id < 3) && type !== "AppendEntries";
    cluster.elect(5);
    expect(cluster.at(5).core.status()).toMatchObject({ role: "leader", currentTerm: 2, lastIndex: 2 });
    // What acknowledges the new term's no-op is lost; what acknowledges the old entry gets through.
    const acknowledgesNoop = (message: Message): boolean =>
      message.type === "AppendEntriesResponse" && !message.rejected && message.index > 2;
    const acknowledged = new Set<number>();
    cluster.filter = (message) => {
      if (message.type === "AppendEntriesResponse" && !message.rejected && message.index === 2) acknowledged.add(message.from);
      return message.from !== 5 && message.to !== 5 && !acknowledgesNoop(message);
    };
    cluster.at(1).restart();
    // The first campaign only teaches it the term that the others have reached.
    cluster.elect(1);
    cluster.elect(1);
    expect(cluster.at(1).core.status()).toMatchObject({ role: "leader", currentTerm: 3 });
    cluster.tick(3);
    // With the leader's own copy that is a majority of five, and yet nothing may be committed.
    expect([...acknowledged].sort()).toEqual([3, 4]);
    expect(cluster.at(1).core.status().commitIndex).toBe(1);
    cluster.filter = ({ from, to }) => from !== 5 && to !== 5;
    cluster.tick(3);
    expect(cluster.at(1).core.status().commitIndex).toBe(3);
  });

  it("overwrites a follower's uncommitted entries with the leader's (Raft §5.3, figure 7)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(1);
    cluster.run(1, { proposals: [bytes("lost 1"), bytes("lost 2")] });
    cluster.elect(2);
    cluster.tick(12);
    cluster.elect(2);
    cluster.run(2, { proposals: [bytes("kept")] });
    expect(cluster.at(2).core.status().role).toBe("leader");
    cluster.heal();
    cluster.tick(3);
    for (const id of [1, 2, 3]) expect(texts(cluster.at(id).applied)).toEqual(["kept"]);
    expect(cluster.at(1).trace.some(({ type }) => type === "truncate")).toBe(true);
  });

  it("recovers from its disk after a restart", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a"), bytes("b")] });
    for (const id of [1, 2, 3]) cluster.at(id).restart();
    cluster.elect(3);
    cluster.run(3, { proposals: [bytes("c")] });
    for (const id of [1, 2, 3]) expect(texts(cluster.at(id).applied)).toEqual(["a", "b", "c"]);
  });

  it("feeds a slow follower from storage when the cache has moved on", () => {
    const cluster = new TestCluster(3, { cacheBytesMax: 10, appendBytesMax: 20, entryBytesMax: 100, uncommittedBytesMax: 1000 });
    cluster.elect(1);
    cluster.cut(3);
    for (let i = 0; i < 20; i++) cluster.run(1, { proposals: [bytes(`entry ${i}`)] });
    cluster.heal();
    cluster.tick(3);
    expect(texts(cluster.at(3).applied)).toEqual(Array.from({ length: 20 }, (_, i) => `entry ${i}`));
  });

  it("takes the completion of an overwritten write for what it is (A→B→A)", () => {
    const follower = new TestCluster(3).at(3);
    const append = (from: number, term: number, entryTerm: number): AppendEntries => ({
      type: "AppendEntries",
      group: 0,
      from,
      to: 3,
      term,
      prevLogIndex: 0,
      prevLogTerm: 0,
      entries: [{ index: 1, term: entryTerm, kind: "command", data: bytes(`${entryTerm}`) }],
      leaderCommit: 0,
    });
    follower.step({ messages: [append(1, 1, 1)] });
    follower.step({ messages: [append(2, 2, 2)] });
    follower.step({ messages: [append(1, 3, 3)] });
    expect(follower.writes).toHaveLength(3);
    follower.flush(1);
    expect(follower.core.status().durableIndex).toBe(0);
    follower.flush(1);
    expect(follower.core.status().durableIndex).toBe(0);
    follower.flush(1);
    expect(follower.core.status().durableIndex).toBe(1);
  });

  it("refuses proposals over the limits, in order, and says why", () => {
    const cluster = new TestCluster(3, { entryBytesMax: 4, uncommittedBytesMax: 2 * 256 + 6 });
    expect(cluster.at(1).core.step({ proposals: [bytes("a")] }).proposed).toMatchObject({ count: 0, refusal: "notLeader" });
    const leader = cluster.elect(1);
    expect(leader.core.step({ proposals: [bytes("abcde")] }).proposed).toMatchObject({ count: 0, refusal: "entryTooLarge" });
    const result = leader.core.step({ proposals: [bytes("abcd"), bytes("ef"), bytes("g")] }).proposed;
    expect(result).toMatchObject({ count: 2, firstIndex: 2, refusal: "tooManyUncommittedBytes" });
  });

  it("drops what contradicts committed entries instead of breaking", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a")] });
    const forged = {
      type: "AppendEntries",
      group: 0,
      from: 2,
      to: 3,
      term: 9,
      prevLogIndex: 2,
      prevLogTerm: 1,
      entries: [{ index: 3, term: 9, kind: "command", data: bytes("x") }],
      leaderCommit: 99,
    } as const;
    cluster
      .at(3)
      .step({ messages: [forged, { ...forged, leaderCommit: -1 }, { ...forged, entries: [{ ...forged.entries[0], index: 7 }] }] });
    cluster.at(3).flush();
    expect(cluster.at(3).core.status().commitIndex).toBe(3);
    expect(cluster.at(3).trace.filter(({ type }) => type === "drop")).toHaveLength(2);
  });
});

describe("reads", () => {
  it("confirms a read index through a quorum, on the leader and on a follower (thesis §6.4)", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.run(1, { proposals: [bytes("a")] });
    cluster.run(1, { reads: [read(7), read(8)] });
    cluster.run(2, { reads: [read(9)] });
    expect(cluster.at(1).reads).toEqual([
      { id: 7, index: 2, refusal: null },
      { id: 8, index: 2, refusal: null },
    ]);
    expect(cluster.at(2).reads).toEqual([{ id: 9, index: 2, refusal: null }]);
  });

  it("does not answer from a leader that was deposed without knowing", () => {
    const cluster = new TestCluster(3);
    cluster.elect(1);
    cluster.cut(1);
    cluster.tick(12);
    cluster.elect(2);
    cluster.run(2, { proposals: [bytes("newer")] });
    cluster.run(1, { reads: [read(1)] });
    expect(cluster.at(1).reads.filter(({ index }) => index !== null)).toEqual([]);
    cluster.heal();
    cluster.tick(15);
    expect(cluster.at(1).reads.every(({ index }) => index === null)).toBe(true);
  });

  it("refuses at once where no leader is known", () => {
    const cluster = new TestCluster(3);
    cluster.run(2, { reads: [read(1)] });
    expect(cluster.at(2).reads).toEqual([{ id: 1, index: null, refusal: "noLeader" }]);
  });

  it("waits for the leader's first own commit before it reads", () => {
    const cluster = new TestCluster(3);
    cluster.filter = (message) => message.type !== "AppendEntriesResponse";
    cluster.elect(1);
    cluster.run(1, { reads: [read(5)] });
    expect(cluster.at(1).reads).toEqual([]);
    cluster.heal();
    cluster.tick(2);
    expect(cluster.at(1).reads).toEqual([{ id: 5, index: 1, refusal: null }]);
  });
});
