import { describe, expect, it } from "vitest";
import { bytes, TestCluster } from "./cluster.js";
import { propose, replicating, said } from "./leading.js";
import { accepted, heartbeatAnswer, only } from "./messages.js";

const at = { from: 2, to: 1, term: 1 };

describe("limits of what is on the way", () => {
  it("inflightCountMax messages, and a heartbeat's answer does not open the window: only acknowledgements do", () => {
    const replica = replicating({ inflightCountMax: 3 });
    const sent = Array.from({ length: 5 }, (_, i) => said(propose(replica, `${i}`)));
    expect(sent).toEqual([[[1, 1]], [[2, 1]], [[3, 1]], [], []]);
    expect(replica.progress(2)).toMatchObject({ inflight: 3, isInflightFull: true, paused: true });
    expect(said(replica.receive(heartbeatAnswer(at)))).toEqual([[4, 0]]);
    expect(replica.progress(2).paused).toBe(true);
    expect(said(replica.receive(accepted(at, 2)))).toEqual([[4, 2]]);
  });

  it("inflightBytesMax: data that is over it waits; a message above it alone is sent when nothing else is on the way", () => {
    const replica = replicating({ inflightBytesMax: 100, appendBytesMax: 60 });
    expect(said(propose(replica, "x".repeat(200)))).toEqual([[1, 1]]);
    expect(said(propose(replica, "a"))).toEqual([]);
    expect(said(replica.receive(accepted(at, 2)))).toEqual([[2, 1]]);
    const filled = replicating({ inflightBytesMax: 100, appendBytesMax: 60 });
    expect(said(propose(filled, "x".repeat(40), "x".repeat(40), "x".repeat(40)))).toEqual([
      [1, 1],
      [2, 1],
    ]);
    expect(said(filled.receive(accepted(at, 2)))).toEqual([[3, 1]]);
  });

  it("appendBytesMax: what is over it goes in several messages, each entry whole", () => {
    const replica = replicating({ appendBytesMax: 60 });
    expect(said(propose(replica, ...Array.from({ length: 5 }, () => "x".repeat(10))))).toEqual([
      [1, 2],
      [3, 2],
      [5, 1],
    ]);
  });

  it("eagerAppendsMax: from there on, small proposals gather until an answer comes, and go in one message", () => {
    const replica = replicating({ eagerAppendsMax: 2 });
    const sent = Array.from({ length: 6 }, (_, i) => said(propose(replica, `${i}`)));
    expect(sent).toEqual([[[1, 1]], [[2, 1]], [], [], [], []]);
    expect(said(replica.receive(accepted(at, 2)))).toEqual([[3, 4]]);
  });

  it("eagerAppendsMax: a full message does not wait", () => {
    const replica = replicating({ eagerAppendsMax: 1, appendBytesMax: 60 });
    expect(said(propose(replica, "a"))).toEqual([[1, 1]]);
    expect(said(propose(replica, "x".repeat(10)))).toEqual([]);
    expect(said(propose(replica, "x".repeat(40)))).toEqual([[2, 1]]);
  });

  it("eagerAppendsMax: what gathers is never forgotten, though all answers are lost", () => {
    const cluster = new TestCluster(3, { eagerAppendsMax: 1 });
    cluster.elect(1);
    cluster.filter = ({ type, from }) => from !== 3 || type !== "AppendEntriesResponse";
    for (let i = 0; i < 5; i++) cluster.run(1, { proposals: [bytes(`${i}`)] });
    cluster.heal();
    cluster.tick(3);
    expect(cluster.at(3).state).toEqual(["0", "1", "2", "3", "4"]);
  });

  it("a full window of one follower does not hold up another", () => {
    const replica = replicating({ inflightCountMax: 1 });
    replica.receive(accepted({ ...at, from: 3 }, 1));
    propose(replica, "a");
    replica.receive(accepted({ ...at, from: 3 }, 2));
    const sent = only("AppendEntries", replica.step({ proposals: [bytes("b")] }));
    expect(sent.map(({ to }) => to)).toEqual([3]);
  });
});
