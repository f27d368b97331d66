import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createClient, keyValueClient, keyValueStore, type Node } from "../src/index.js";
import { type OperationRequest, operationProblem } from "../src/operations/request.js";
import { bytes, joining, members, nodeIn, type Started, start, text } from "./support/cluster.js";

beforeAll(() => prepareWalrus());

const addresses = members.map(({ address }) => address);
const parts = (node: Node): string[] => node.membership().map(({ id, membership }) => `${id} ${membership}`);

function clientOf({ world }: Started) {
  const { transport, clock, scheduler, random } = world.process("client");
  return createClient({ addresses }, { transport, clock, scheduler, random });
}

describe("an operation", () => {
  it("is taken by a follower, and passed on to the leader", async () => {
    const cluster = await start(60);
    const { world, follower, leader } = cluster;
    const { node: newcomer } = joining(cluster, 4);
    await world.runUntilSettled(newcomer.start());
    const asked = follower();
    await world.runUntilSettled(asked.addLearner(4, "n4:7000"));
    await world.runUntil(() => parts(asked).includes("4 learner"));
    await world.runUntilSettled(asked.promote(4));
    expect(parts(leader())).toEqual(["1 voter", "2 voter", "3 voter", "4 voter"]);
    await world.runUntilSettled(asked.transferLeadership(4));
    expect(newcomer.isLeader).toBe(true);
    await world.runUntilSettled(asked.remove(4));
    await world.runUntil(() => asked.leader !== null && asked.leader !== 4);
    await world.runUntilSettled(keyValueClient(asked).put("k", bytes("v")));
  });

  it("is taken from a client, which finds the leader", async () => {
    const cluster = await start(61);
    const { world, leader, nodes } = cluster;
    const client = clientOf(cluster);
    const { node: newcomer } = joining(cluster, 4);
    await world.runUntilSettled(newcomer.start());
    await world.runUntilSettled(client.addVoter(4, "n4:7000"));
    expect(parts(leader())).toContain("4 voter");
    const next = nodes.find(({ isLeader }) => !isLeader) as Node;
    await world.runUntilSettled(client.transferLeadership(next.id));
    expect(next.isLeader).toBe(true);
    await world.runUntilSettled(keyValueClient(client).put("k", bytes("v")));
    const index = await world.runUntilSettled(client.snapshotAt(`n${next.id}:7000`));
    expect(next.status().snapshotIndex).toBe(index);
    await world.runUntilSettled(client.remove(4));
    expect(parts(next)).toEqual(["1 voter", "2 voter", "3 voter"]);
    await world.runUntilSettled(client.close());
  });

  it("waits for a leader while there is none", async () => {
    const { world, leader, follower, nodes } = await start(62);
    const dead = leader().id;
    const asked = follower();
    world.process(`n${dead}`).crash();
    await world.runUntil(() => asked.leader === null);
    await world.runUntilSettled(asked.remove(dead));
    const alive = nodes.filter(({ id }) => id !== dead);
    await world.runUntil(() => alive.every((node) => node.membership().length === 2));
  });

  it.each<[string, (node: Node) => Promise<void>]>([
    ["to promote whoever is no member", (node) => node.promote(9)],
    ["to move whoever is no member", (node) => node.updateAddress(9, "n9:7000")],
    ["with an address that is none", (node) => node.addLearner(4, "nowhere")],
    ["with an id that is none", (node) => node.addLearner(-4, "n4:7000")],
    ["to replace a member by itself", (node) => node.replaceMember(1, 1, "n1:7000")],
  ])("is refused when it is %s, wherever it is asked", async (_what, operation) => {
    const { world, leader, follower } = await start(63);
    for (const node of [leader(), follower()]) {
      const before = node.status().lastIndex;
      const error = await world.runUntilSettled(operation(node).catch((reason: unknown) => reason));
      expect(error).toMatchObject({ code: "OCTOPII_CORE_CHANGE_REFUSED", outcome: "failed" });
      expect(node.status().lastIndex).toBe(before);
    }
  });

  it("leaves a voter a voter when it is to be promoted", async () => {
    const { world, leader, follower } = await start(64);
    await world.runUntilSettled(leader().promote(follower().id));
    expect(parts(leader())).toEqual(["1 voter", "2 voter", "3 voter"]);
  });

  it("promotes no learner that cannot catch up", async () => {
    const cluster = await start(65);
    const { world, leader } = cluster;
    // It is added, and never started.
    await world.runUntilSettled(leader().addLearner(4, "n4:7000"));
    const error = await world.runUntilSettled(
      leader()
        .promote(4, { timeoutMs: 2_000 })
        .catch((reason: unknown) => reason),
    );
    expect(error).toMatchObject({ code: "OCTOPII_CORE_TIMEOUT", outcome: "failed" });
    expect(parts(leader())).toContain("4 learner");
  });

  it("moves a member to another address, which every member learns, one included that starts later", async () => {
    const cluster = await start(66, keyValueStore, { snapshotEntries: 5, tailEntries: 2 });
    const { world, leader, nodes } = cluster;
    const moved = nodes.find(({ isLeader }) => !isLeader) as Node;
    const process = world.process(`n${moved.id}`);
    process.kill();
    const newHome = `n${moved.id}:7900`;
    const known = members.map((member) => (member.id === moved.id ? { ...member, address: newHome } : member));
    const store = keyValueStore();
    const back = nodeIn(process.restart(), moved.id, store, [], { members: known });
    await world.runUntilSettled(back.start());
    await world.runUntilSettled(leader().updateAddress(moved.id, newHome));
    const addressOf = (node: Node): string | null | undefined => node.membership().find(({ id }) => id === moved.id)?.address;
    await world.runUntil(() => [back, leader()].every((node) => addressOf(node) === newHome));
    // Into a snapshot with it, and out again: whoever starts with the founders' addresses learns it all the same.
    for (let i = 0; i < 20; i++) await world.runUntilSettled(keyValueClient(leader()).put(`k${i}`, bytes(`v${i}`)));
    const other = nodes.find((node) => !node.isLeader && node.id !== moved.id) as Node;
    const otherProcess = world.process(`n${other.id}`);
    otherProcess.kill();
    const again = nodeIn(otherProcess.restart(), other.id, keyValueStore());
    await world.runUntilSettled(again.start());
    await world.runUntil(() => addressOf(again) === newHome);
    await world.runUntilSettled(leader().transferLeadership(moved.id));
    expect(text(await world.runUntilSettled(keyValueClient(again).get("k19")))).toBe("v19");
  });

  it("that a peer words wrongly is refused in a sentence", () => {
    const wrong: unknown[] = [null, 1, "x", {}, { type: "format" }, { type: "remove", id: 1.5 }, { type: "addVoter", id: 1, address: 7 }];
    for (const request of [...wrong, { type: "replace", id: 1, address: "a:1" }]) {
      expect(operationProblem(request as OperationRequest)).toMatch(/^[A-Z].*\.$/);
    }
    expect(operationProblem({ type: "replace", id: 1, newId: 2, address: "a:1" })).toBeNull();
  });
});

describe("a node's view", () => {
  it("names the leader, and on the leader how far everybody is", async () => {
    const { world, leader, follower } = await start(67);
    expect(leader().isLeader).toBe(true);
    expect(follower().isLeader).toBe(false);
    expect(follower().leader).toBe(leader().id);
    expect(follower().peerProgress()).toEqual([]);
    const away = follower();
    world.process(`n${away.id}`).pause();
    for (let i = 0; i < 3; i++) await world.runUntilSettled(keyValueClient(leader()).put(`k${i}`, bytes("v")));
    const progress = leader().peerProgress();
    expect(progress.map(({ id }) => id)).toEqual(members.map(({ id }) => id).filter((id) => id !== leader().id));
    expect(progress.find(({ id }) => id === away.id)?.lag).toBeGreaterThanOrEqual(3);
    expect(progress.find(({ id }) => id !== away.id)).toMatchObject({ state: "replicate" });
    const closed = leader();
    await world.runUntilSettled(closed.close());
    expect([closed.isLeader, closed.leader, closed.peerProgress()]).toEqual([false, null, []]);
  });
});
