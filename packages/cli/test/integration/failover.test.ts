import { join } from "node:path";
import { isCoreError, type KeyValueClient, keyValueClient, type Member } from "@octopii/core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { connect } from "../../src/config/client-config.js";
import { type DevCluster, openDevCluster } from "../../src/dev/cluster.js";
import { repeatUntilDone } from "../../src/repeat.js";
import { temporaryDirectory } from "../support/directories.js";
import { checkBuild, eventually, program } from "../support/program.js";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
const leaderTimeoutMs = 30_000;
const directory = join(temporaryDirectory(), "cluster");
const stored = new Map<string, Uint8Array>();
let cluster: DevCluster;

beforeAll(async () => {
  checkBuild();
  cluster = await openDevCluster({ directory, nodes: 3, cluster: "test", program });
});
afterAll(() => cluster?.close());

const text = (value: string): Uint8Array => new TextEncoder().encode(value);

async function put(key: string, value: Uint8Array): Promise<void> {
  const kv = keyValueClient(cluster.client);
  // Nobody else writes these keys, so a put may be repeated though it may have happened.
  const patience = { timeoutMs: 30_000, attemptTimeoutMs: 1_000, effect: "idempotent" } as const;
  await repeatUntilDone((timeoutMs) => kv.put(key, value, { timeoutMs }), patience);
  stored.set(key, value);
}

/** What one node has applied, without asking another. */
function storeAt({ address }: Member): KeyValueClient {
  return keyValueClient({
    propose: () => Promise.reject(new Error("This is for reading.")),
    query: (request) => cluster.client.queryAt(address, request, { consistency: "stale" }),
  });
}

/** Whether every node has applied all that its leader has committed. */
async function hasConverged(): Promise<boolean> {
  const statuses = await Promise.all(cluster.members.map(({ address }) => cluster.client.status(address).catch(() => null)));
  const leader = statuses.find((status) => status?.role === "leader");
  return leader !== undefined && leader !== null && statuses.every((status) => status?.appliedIndex === leader.commitIndex);
}

async function expectEveryNodeToHoldEverything(): Promise<void> {
  // A linearizable read first: the leader's commit index covers all that was acknowledged then.
  const kv = keyValueClient(cluster.client);
  const patience = { timeoutMs: 30_000, attemptTimeoutMs: 1_000, effect: "none" } as const;
  await repeatUntilDone((timeoutMs) => kv.keys("", { timeoutMs }), patience);
  await eventually(hasConverged, "the nodes converge", 30_000);
  for (const member of cluster.members) {
    expect(await storeAt(member).keys("", { consistency: "stale" })).toEqual([...stored.keys()].sort());
    for (const [key, value] of stored) {
      const found = await storeAt(member).get(key, { consistency: "stale" });
      expect(found !== null && Buffer.compare(found, value) === 0, `${key} on node ${member.id}`).toBe(true);
    }
  }
}

describe("three nodes in processes of their own", () => {
  it("elect a leader and replicate", async () => {
    const leader = await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs });
    expect(cluster.members.map(({ id }) => id)).toContain(leader);
    for (let i = 0; i < 20; i++) await put(`before-${i}`, text(`value ${i}`));
    await put("empty", new Uint8Array(0));
    await put(
      "large",
      new Uint8Array(3 * 1024 * 1024).map((_, i) => i % 251),
    );
    await expectEveryNodeToHoldEverything();
  });

  it("lose no acknowledged write when the leader is killed in the middle, and take it back", async () => {
    const leader = await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs });
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; i < 25; i++) await put(`during-${writer}-${i}`, text(`${writer} ${i}`));
    });
    await eventually(() => stored.has("during-0-5"), "some writes are acknowledged");
    await cluster.kill(leader);
    expect(cluster.report().find(({ id }) => id === leader)).toMatchObject({ state: "killed", pid: null });
    await Promise.all(writers);
    const next = await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs });
    expect(next).not.toBe(leader);
    await cluster.start(leader);
    await expectEveryNodeToHoldEverything();
  });

  it("tell a caller soon that the leader was lost which its write was forwarded to", async () => {
    const leader = await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs });
    const follower = cluster.members.find(({ id }) => id !== leader);
    const client = connect({ ...cluster.clientConfig, addresses: [follower?.address ?? ""] });
    try {
      const kv = keyValueClient(client);
      await kv.put("warm", text("1"));
      stored.set("warm", text("1"));
      await cluster.kill(leader);
      const began = performance.now();
      const error: unknown = await kv.put("warm", text("1"), { timeoutMs: 30_000 }).then(
        () => null,
        (reason: unknown) => reason,
      );
      // Either it was forwarded, and the outcome is unknown, or the follower had noticed, and waited for the next leader.
      if (error !== null) expect(isCoreError(error, "OCTOPII_CORE_UNAVAILABLE") && error.outcome === "unknown").toBe(true);
      expect(performance.now() - began).toBeLessThan(15_000);
    } finally {
      await client.close();
    }
    await cluster.start(leader);
    await expectEveryNodeToHoldEverything();
  });

  it("come back with everything after all of them were killed", async () => {
    const ids = cluster.members.map(({ id }) => id);
    await Promise.all(ids.map((id) => cluster.kill(id)));
    await Promise.all(ids.map((id) => cluster.start(id)));
    await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs });
    await put("after", text("all were killed"));
    await expectEveryNodeToHoldEverything();
  });

  it("come back from the same directory, at the same addresses", async () => {
    const { members } = cluster;
    await cluster.close();
    cluster = await openDevCluster({ directory, cluster: "test", program });
    expect(cluster.members).toEqual(members);
    await cluster.waitForLeader({ timeoutMs: leaderTimeoutMs });
    await expectEveryNodeToHoldEverything();
  });
});
