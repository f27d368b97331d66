import { describe, expect, it } from "vitest";
import { bytes, TestCluster, type TestReplica } from "./cluster.js";
import { leading, said } from "./leading.js";
import { accepted, heartbeatAnswer, rejected } from "./messages.js";

const at = { from: 2, to: 1, term: 1 };

describe("entries that only the disk has", () => {
  const options = { cacheBytesMax: 1, appendBytesMax: 60, preVote: false };

  /** A leader that has restarted with a log of four: none of it is in memory. */
  function restarted(): TestReplica {
    const replica = leading({ options, log: [1, 1, 1, 1], hardState: { commitIndex: 4 } });
    replica.holdFetches = true;
    replica.receive(rejected({ ...at, term: 2 }, 4, 1, 1));
    expect(replica.fetches).toEqual([{ peer: 2, from: 2, to: 5, maxBytes: 60 }]);
    return replica;
  }

  it("are fetched, once, and sent when they are there", () => {
    const replica = restarted();
    replica.receive(heartbeatAnswer({ ...at, term: 2 }));
    expect(replica.fetches).toHaveLength(1);
    expect(said(replica.finishFetches())).toEqual([[1, 4]]);
  });

  it("are fetched again if storage had nothing to give", () => {
    const replica = restarted();
    replica.fetches.length = 0;
    replica.step({ fetched: [{ peer: 2, from: 2, entries: [] }] });
    expect(replica.fetches).toHaveLength(1);
  });

  it("are not sent if the follower stands elsewhere by now, or the read belongs to no question", () => {
    const replica = restarted();
    const entries = replica.disk.read(2, 5, 1_000);
    expect(said(replica.step({ fetched: [{ peer: 2, from: 3, entries: entries.slice(1) }] }))).toEqual([]);
    replica.receive(accepted({ ...at, term: 2 }, 3));
    expect(said(replica.step({ fetched: [{ peer: 2, from: 2, entries }] }))).toEqual([]);
  });

  it("are not sent if the log has them no more, or others in their place", () => {
    const replica = restarted();
    const entries = replica.disk.read(2, 5, 1_000).map((entry) => ({ ...entry, term: 9 }));
    expect(said(replica.step({ fetched: [{ peer: 2, from: 2, entries }] }))).toEqual([]);
  });

  it("are not sent if what they follow was compacted meanwhile: a snapshot is", () => {
    const replica = restarted();
    const entries = replica.disk.read(2, 5, 1_000);
    replica.takeSnapshot(2);
    const sent = replica.step({ fetched: [{ peer: 2, from: 2, entries }] });
    expect(sent).toMatchObject([{ type: "InstallSnapshot", to: 2 }]);
  });

  it("follow those from memory without a gap", () => {
    const cluster = new TestCluster(3, { ...options, entryBytesMax: 60, uncommittedBytesMax: 10_000 });
    cluster.elect(1);
    cluster.cut(3);
    for (let i = 0; i < 30; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    cluster.heal();
    cluster.tick(20);
    expect(cluster.at(3).state).toEqual(Array.from({ length: 30 }, (_, i) => `${i}`));
  });
});
