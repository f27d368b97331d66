import { describe, expect, it } from "vitest";
import type { SnapshotStorage } from "../../src/index.js";
import { Group, outcomeOf } from "./group.js";

const never = (): Promise<never> => new Promise(() => undefined);

/** A storage of which one call of the kind hangs, once. */
function hangingOnce(storage: SnapshotStorage, what: "create" | "write" | "commit"): SnapshotStorage {
  let hasHung = false;
  return {
    list: (group) => storage.list(group),
    read: (group, index) => storage.read(group, index),
    removeBelow: (group, index) => storage.removeBelow(group, index),
    create: async (group, metadata) => {
      if (hasHung) return storage.create(group, metadata);
      hasHung = true;
      if (what === "create") return never();
      const writer = await storage.create(group, metadata);
      return { write: (chunk) => writer.write(chunk), commit: () => writer.commit(), abort: () => writer.abort(), [what]: never };
    },
  };
}

const calls = ["create", "write", "commit"] as const;

describe.each(calls)("a snapshot storage whose %s hangs once", (what) => {
  it("is given up when nothing has moved for snapshotStallMs, and the next snapshot is taken", async () => {
    const group = await Group.open({
      voters: [1],
      options: { snapshotStallMs: 100 },
      ports: (_, { snapshots }) => ({ snapshots: hangingOnce(snapshots as SnapshotStorage, what) }),
    });
    const leader = await group.elect(1);
    await group.write(leader, 5);
    const first = await group.settled(outcomeOf(leader.node.snapshot({ timeoutMs: 500 })));
    expect(first).toMatchObject({ code: "OCTOPII_RAFT_SNAPSHOT_FAILED" });
    expect(await group.settled(leader.node.snapshot({ timeoutMs: 500 }))).toMatchObject({ index: expect.any(Number) });
    await group.close();
  });

  it("does not keep a follower from taking the leader's next one", async () => {
    const group = await Group.open({
      options: { snapshotStallMs: 100, tailEntries: 1 },
      ports: (id, { snapshots }) => (id === 3 ? { snapshots: hangingOnce(snapshots as SnapshotStorage, what) } : {}),
    });
    const leader = await group.elect(1);
    group.hub.isolate(3);
    await group.write(leader, 20);
    await group.settled(leader.node.snapshot());
    await group.write(leader, 5);
    group.hub.heal();
    await group.until(() => group.member(3).node.status().appliedIndex === leader.node.status().appliedIndex, 3_000);
    await group.close();
  });

  it("does not keep a node from closing", async () => {
    const group = await Group.open({
      voters: [1],
      options: { snapshotStallMs: 100 },
      ports: (_, { snapshots }) => ({ snapshots: hangingOnce(snapshots as SnapshotStorage, what) }),
    });
    const leader = await group.elect(1);
    await group.write(leader, 5);
    void outcomeOf(leader.node.snapshot({ timeoutMs: 5_000 }));
    await group.pass(5);
    await group.settled(leader.node.close(), 1_000);
    expect(leader.node.stoppedBy).toBeNull();
  });
});
