import { describe, expect, it } from "vitest";
import type { SnapshotMetadata } from "../../src/index.js";
import { group, TestReplica } from "./cluster.js";
import { accepted, append, heartbeat, install, preVote, requestVote, snapshotOf } from "./messages.js";

const at = { from: 2, to: 1, term: 4 };

/** A follower with a log of `terms`, on whose disk the data of the snapshots has arrived. */
function follower(log: number[], commitIndex: number, ...sent: SnapshotMetadata[]): TestReplica {
  const replica = new TestReplica(1, { log, hardState: { currentTerm: 4, commitIndex } });
  for (const metadata of sent) replica.disk.snapshots.push({ metadata, state: [`snapshot ${metadata.index}`] });
  return replica;
}

const phases = (replica: TestReplica): string[] => replica.traced("snapshot").map(({ phase, snapshot }) => `${phase} ${snapshot.index}`);

describe("a follower takes a snapshot", () => {
  it("stale: it says how far it is, and changes nothing", () => {
    const replica = follower([1, 1, 1, 1], 3);
    for (const index of [2, 3]) {
      expect(replica.answer(install(at, snapshotOf(index, 1)))).toEqual([accepted({ from: 1, to: 2, term: 4 }, 3)]);
    }
    expect(replica.status).toMatchObject({ lastIndex: 4, commitIndex: 3, compactedIndex: 0 });
    expect(phases(replica)).toEqual(["ignored 2", "ignored 3"]);
  });

  it("repeated: the second one is stale, also while the first is being restored", () => {
    const replica = follower([], 0, snapshotOf(5, 3));
    replica.holdRestore = true;
    replica.answer(install(at, snapshotOf(5, 3)));
    expect(replica.answer(install(at, snapshotOf(5, 3)))).toEqual([accepted({ from: 1, to: 2, term: 4 }, 5)]);
    replica.finishRestore();
    expect(replica.answer(install(at, snapshotOf(5, 3)))).toEqual([accepted({ from: 1, to: 2, term: 4 }, 5)]);
    expect(replica.restoring).toEqual([]);
    expect(phases(replica)).toEqual(["restoring 5", "restored 5", "ignored 5", "ignored 5"]);
  });

  it("repeated within one step: one write, two answers", () => {
    const replica = follower([], 0, snapshotOf(5, 3));
    replica.receive(install(at, snapshotOf(5, 3)), install(at, snapshotOf(5, 3)));
    expect(replica.writes).toHaveLength(1);
    expect(replica.flush()).toHaveLength(2);
    expect(replica.state).toEqual(["snapshot 5"]);
  });

  it("fast-forwarded: it has the entry, so it commits what it has; durable entries are not thrown away", () => {
    const replica = follower([1, 1, 3], 1);
    replica.answer(append(at, [3, 3], [4]));
    expect(replica.answer(install(at, snapshotOf(3, 3)))).toEqual([accepted({ from: 1, to: 2, term: 4 }, 3)]);
    expect(replica.status).toMatchObject({ lastIndex: 4, commitIndex: 3, appliedIndex: 3 });
    expect(replica.writes).toEqual([]);
  });

  it("fast-forwarded before its entries are durable: it acknowledges when they are", () => {
    const replica = follower([], 0);
    replica.receive(append(at, [0, 0], [4, 4]));
    expect(replica.receive(install(at, snapshotOf(2, 4)))).toEqual([]);
    expect(replica.status).toMatchObject({ commitIndex: 2, appliedIndex: 0 });
    const [, second] = [replica.flush(1), replica.flush()];
    expect(second).toEqual([accepted({ from: 1, to: 2, term: 4 }, 2)]);
  });

  it("not for us, or unsound: dropped or ignored", () => {
    const replica = follower([], 0);
    replica.answer({ ...install(at, snapshotOf(5, 3)), to: 3 });
    replica.answer({ ...install(at, snapshotOf(5, 3)), group: 7 });
    for (const broken of [
      snapshotOf(0, 3),
      snapshotOf(5, 0),
      snapshotOf(5, 5),
      snapshotOf(5, 3, group([3, 2])),
      snapshotOf(-1, 3),
      snapshotOf(2 ** 53, 3),
    ]) {
      replica.answer(install(at, broken));
    }
    expect(replica.status).toMatchObject({ lastIndex: 0, configuration: group([1, 2, 3]) });
    const reasons = replica.traced("drop").map(({ reason }) => reason);
    expect(reasons).toEqual(["notForUs", "notForUs", "malformed", "malformed", "malformed", "malformed", "malformed", "malformed"]);
  });

  it("from two leaders of a term: only the first is one", () => {
    const replica = follower([], 0, snapshotOf(5, 3));
    replica.answer(heartbeat({ ...at, from: 3 }));
    replica.answer(install(at, snapshotOf(5, 3)));
    expect(replica.status).toMatchObject({ lastIndex: 0, leaderId: 3 });
  });

  it("by the leader of a later term: it enters that, and follows", () => {
    const replica = follower([], 0, snapshotOf(5, 3));
    replica.answer(install({ ...at, term: 6 }, snapshotOf(5, 3)));
    expect(replica.status).toMatchObject({ currentTerm: 6, leaderId: 2, lastIndex: 5 });
  });

  it("as a candidate of the same term: it follows", () => {
    const replica = follower([], 0, snapshotOf(5, 3));
    replica.step({ campaign: true });
    replica.answer(install(at, snapshotOf(5, 3)));
    expect(replica.status).toMatchObject({ role: "follower", leaderId: 2, lastIndex: 5 });
  });
});

describe("while a snapshot is restored", () => {
  const restoring = (): TestReplica => {
    const replica = follower([1, 1, 1], 1, snapshotOf(5, 3));
    replica.holdRestore = true;
    replica.holdApply = true;
    replica.answer(install(at, snapshotOf(5, 3)));
    return replica;
  };

  it("nothing is applied, and what comes in the meantime follows the snapshot", () => {
    const replica = restoring();
    expect(replica.answer(append(at, [5, 3], [4, 4], 7))).toMatchObject([{ rejected: false, index: 7 }]);
    expect(replica.status).toMatchObject({ commitIndex: 7, appliedIndex: 1 });
    expect(replica.applying).toBeNull();
    replica.holdApply = false;
    replica.finishRestore();
    expect(replica.state).toEqual(["snapshot 5", "4.6", "4.7"]);
  });

  it("no snapshot can be taken", () => {
    expect(restoring().core.describeSnapshot()).toBeNull();
  });

  it("nothing is compacted: the wish is older than the snapshot", () => {
    const replica = restoring();
    replica.step({ compactTo: 3 });
    expect(replica.status.compactedIndex).toBe(5);
  });

  it("it does not campaign, and votes by what the snapshot stands for", () => {
    const replica = restoring();
    replica.step({ ticks: 60 });
    expect(replica.status.role).toBe("follower");
    expect(replica.answer(preVote({ ...at, term: 5 }, 9, 2))).toMatchObject([{ granted: false }]);
    expect(replica.answer(requestVote({ ...at, term: 5 }, 5, 3))).toMatchObject([{ granted: true }]);
  });

  it("a second snapshot that goes further takes its place; the first one's end changes nothing", () => {
    const replica = follower([1], 1, snapshotOf(5, 3), snapshotOf(9, 4));
    replica.holdRestore = true;
    replica.answer(install(at, snapshotOf(5, 3)), install(at, snapshotOf(9, 4)));
    expect(replica.status).toMatchObject({ compactedIndex: 9, commitIndex: 9, appliedIndex: 1 });
    replica.answer(append(at, [9, 4], [4], 10));
    if (replica.restoring.length > 1) replica.finishRestore();
    expect(replica.status.appliedIndex).toBe(1);
    replica.finishRestore();
    expect(replica.state).toEqual(["snapshot 9", "4.10"]);
    expect(replica.status.appliedIndex).toBe(10);
  });

  it("a second snapshot after the first one's write: both are restored, one after the other", () => {
    const replica = follower([1], 1, snapshotOf(5, 3), snapshotOf(9, 4));
    replica.holdRestore = true;
    replica.answer(install(at, snapshotOf(5, 3)));
    replica.answer(install(at, snapshotOf(9, 4)));
    expect(replica.restoring.map(({ index }) => index)).toEqual([5, 9]);
    replica.finishRestore();
    expect(replica.status.appliedIndex).toBe(1);
    replica.finishRestore();
    expect(replica.status).toMatchObject({ appliedIndex: 9, compactedIndex: 9 });
  });

  it("the end of an apply that was under way when the snapshot came counts for nothing, nor do its changes", () => {
    for (const together of [false, true]) {
      const replica = follower([1, 1], 0, snapshotOf(5, 3));
      replica.holdApply = true;
      replica.holdRestore = true;
      replica.answer(heartbeat(at, 2));
      replica.answer(install(at, snapshotOf(5, 3)));
      const applied = { ...replica.applyNow(), configurations: [{ index: 2, term: 1, kind: "founding" as const, data: new Uint8Array() }] };
      const restoredIndex = replica.restoreNow();
      // Both may end within one turn.
      if (together) replica.step({ applied, restoredIndex });
      else for (const input of [{ applied }, { restoredIndex }]) replica.step(input);
      expect(replica.status.appliedIndex).toBe(5);
      expect(replica.traced("changeVoid")).toEqual([]);
    }
  });

  it("a change that it took from the log keeps nobody from campaigning", () => {
    const lost = { index: 3, term: 1, kind: "configuration", data: new Uint8Array() } as const;
    const replica = follower([1, 1], 0, snapshotOf(2, 3));
    replica.answer({ ...append(at, [2, 1], []), entries: [lost] });
    replica.answer(install(at, snapshotOf(2, 3)));
    replica.holdApply = true;
    replica.answer(append(at, [2, 3], [4], 3));
    replica.step({ ticks: 11 });
    expect(replica.status).toMatchObject({ role: "preCandidate", commitIndex: 3, appliedIndex: 2 });
  });

  it("a crash before the write leaves the old log, one after it the snapshot", () => {
    const replica = follower([1, 1, 1], 1, snapshotOf(5, 3));
    replica.receive(install(at, snapshotOf(5, 3)));
    replica.restart();
    expect(replica.status).toMatchObject({ lastIndex: 3, appliedIndex: 1 });
    replica.receive(install(at, snapshotOf(5, 3)));
    replica.holdRestore = true;
    replica.flush();
    replica.restart();
    expect(replica.status).toMatchObject({ lastIndex: 5, appliedIndex: 5, compactedIndex: 5 });
    expect(replica.state).toEqual(["snapshot 5"]);
  });
});
