import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { keyValueClient, keyValueStore, type Node } from "../src/index.js";
import { bytes, joining, members, nodeIn, start, text } from "./support/cluster.js";

beforeAll(() => prepareWalrus());

type Cluster = Awaited<ReturnType<typeof start>>;

const snapshots = { snapshotEntries: 5, tailEntries: 2 };

async function fill({ world, leader }: Cluster, from: number, to: number): Promise<void> {
  for (let i = from; i < to; i++) await world.runUntilSettled(keyValueClient(leader()).put(`k${i}`, bytes(`v${i}`)));
}

const parts = (node: Node): string[] => node.status().members.map(({ id, membership }) => `${id} ${membership}`);

describe("membership", () => {
  it("takes a newcomer from a snapshot to a voter, whom everybody can reach, and lets a founder go", async () => {
    const cluster = await start(40, keyValueStore, snapshots);
    const { world, nodes, leader } = cluster;
    await fill(cluster, 0, 20);
    expect(leader().status()).toMatchObject({ compactedIndex: expect.any(Number) });
    expect(leader().status().compactedIndex).toBeGreaterThan(5);
    const { node: newcomer, store } = joining(cluster, 4, snapshots);
    await world.runUntilSettled(newcomer.start());
    expect(newcomer.status().members).toEqual([]);
    await world.runUntilSettled(leader().addVoter(4, "n4:7000"));
    expect(parts(leader())).toEqual(["1 voter", "2 voter", "3 voter", "4 voter"]);
    await world.runUntil(() => store.size === 20 && newcomer.status().members.length === 4);
    // It was told of the founders' addresses, and can lead.
    await world.runUntilSettled(leader().transferLeadership(4));
    expect(newcomer.status().role).toBe("leader");
    await world.runUntilSettled(newcomer.remove(1));
    expect(parts(newcomer)).toEqual(["2 voter", "3 voter", "4 voter"]);
    await world.runUntilSettled(keyValueClient(newcomer).put("after", bytes("1")));
    const stays = nodes.find(({ id }) => id === 2) as Node;
    expect(text(await world.runUntilSettled(keyValueClient(stays).get("after")))).toBe("1");
  });

  it("replaces a dead member in one call", async () => {
    const cluster = await start(41, keyValueStore, snapshots);
    const { world, leader } = cluster;
    await fill(cluster, 0, 8);
    const dead = members.find(({ id }) => id !== leader().id)?.id ?? 0;
    world.process(`n${dead}`).crash();
    const { node: newcomer } = joining(cluster, 5, snapshots);
    await world.runUntilSettled(newcomer.start());
    await world.runUntilSettled(leader().replaceMember(dead, 5, "n5:7000"));
    expect(
      leader()
        .status()
        .members.map(({ id }) => id),
    ).toEqual([1, 2, 3, 5].filter((id) => id !== dead));
    await world.runUntilSettled(keyValueClient(leader()).put("k", bytes("v")));
  });

  it("refuses a change that would leave no quorum", async () => {
    const { world, leader } = await start(42, keyValueStore, snapshots);
    const gone = members.find(({ id }) => id !== leader().id)?.id ?? 0;
    const stays = members.find(({ id }) => id !== leader().id && id !== gone)?.id ?? 0;
    world.process(`n${gone}`).crash();
    await world.runFor(5_000);
    // Two voters would be left, of whom one is dead.
    const change = leader().remove(stays);
    await expect(world.runUntilSettled(change)).rejects.toMatchObject({ code: "OCTOPII_CORE_CHANGE_REFUSED", outcome: "failed" });
  });
});

describe("snapshots", () => {
  it("bring up a member that was away while the log was compacted, and one that starts again", async () => {
    const cluster = await start(43, keyValueStore, snapshots);
    const { world, leader, nodes } = cluster;
    const away = nodes.find(({ id }) => id !== leader().id) as Node;
    const process = world.process(`n${away.id}`);
    process.crash();
    await fill(cluster, 0, 30);
    const store = keyValueStore();
    const back = nodeIn(process.restart(), away.id, store, [], snapshots);
    await world.runUntilSettled(back.start());
    await world.runUntil(() => store.size === 30);
    expect(back.status().compactedIndex).toBeGreaterThan(10);
    // And again, from its own snapshot and log.
    await world.runUntilSettled(back.close());
    world.process(`n${away.id}`).kill();
    const again = keyValueStore();
    const restarted = nodeIn(world.process(`n${away.id}`).restart(), away.id, again, [], snapshots);
    await world.runUntilSettled(restarted.start());
    expect(again.size).toBeGreaterThan(20);
    await world.runUntil(() => again.size === 30);
  });

  it("are taken on demand", async () => {
    const cluster = await start(44, keyValueStore, { snapshotEntries: 0, snapshotBytes: 0, tailEntries: 0 });
    const { world, leader } = cluster;
    await fill(cluster, 0, 10);
    expect(leader().status().snapshotIndex).toBe(0);
    const index = await world.runUntilSettled(leader().snapshot());
    expect(index).toBe(leader().status().appliedIndex);
    await world.runUntil(() => leader().status().compactedIndex === index);
  });
});
