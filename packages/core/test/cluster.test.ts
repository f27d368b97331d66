import { createSimulation } from "@octopii/testing";
import { prepareWalrus } from "@octopii/walrus";
import { beforeAll, describe, expect, it } from "vitest";
import { createClient, keyValueClient, keyValueStore, type Node, Rejection, type StateMachine } from "../src/index.js";
import { bytes, identityOf, members, nodeIn, start, text } from "./support/cluster.js";

beforeAll(() => prepareWalrus());

describe("a cluster of three nodes", () => {
  it("replicates what any node is given, and answers linearizably on any", async () => {
    const { world, nodes, leader, follower } = await start(1);
    expect(await world.runUntilSettled(keyValueClient(leader()).put("a", bytes("1")))).toBe(false);
    expect(await world.runUntilSettled(keyValueClient(follower()).put("a", bytes("2")))).toBe(true);
    for (const node of nodes) expect(text(await world.runUntilSettled(keyValueClient(node).get("a")))).toBe("2");
    expect(
      leader()
        .status()
        .members.map(({ matchIndex }) => matchIndex),
    ).not.toContain(null);
    await world.runUntilSettled(Promise.all(nodes.map((node) => node.close())));
    expect(nodes.map((node) => node.status().role)).toEqual(["stopped", "stopped", "stopped"]);
  });

  it("survives the loss of its leader, and the leader comes back", async () => {
    const { world, nodes, leader } = await start(2);
    await world.runUntilSettled(keyValueClient(leader()).put("before", bytes("1")));
    const dead = leader();
    const process = world.process(`n${dead.id}`);
    process.crash();
    const others = nodes.filter((node) => node !== dead);
    await world.runUntil(() => others.some((node) => node.status().role === "leader"));
    const survivor = keyValueClient(others[0] as Node);
    await world.runUntilSettled(survivor.put("after", bytes("2")));
    const store = keyValueStore();
    const returned = nodeIn(process.restart(), dead.id, store);
    await world.runUntilSettled(returned.start());
    expect(text(await world.runUntilSettled(keyValueClient(returned).get("after")))).toBe("2");
    expect(store.entries().map(([key]) => key)).toEqual(["after", "before"]);
  });

  it("settles every call in time when the leader leaves in good order", async () => {
    for (let seed = 20; seed < 26; seed++) {
      const { world, nodes, leader } = await start(seed);
      const leaving = leader();
      const calls: Promise<unknown>[] = [];
      let settled = 0;
      const put = (node: Node, i: number): void => {
        const call = keyValueClient(node).put(`k${i}`, bytes("v"), { timeoutMs: 3_000 });
        calls.push(call.catch(() => undefined).finally(() => settled++));
      };
      const closed = leaving.close();
      for (let i = 0; i < 40; i++) {
        for (const node of nodes) if (node !== leaving) put(node, i);
        await world.runFor(20);
      }
      await world.runUntilSettled(closed);
      await world.runUntil(() => settled === calls.length, { withinMs: 4_000 });
    }
  });

  it("repeats a client's query whose member died under it, for a query changes nothing", async () => {
    const { world } = await start(32);
    const { transport, clock, scheduler, random } = world.process("client");
    const client = createClient(
      { addresses: members.map(({ address }) => address), connectTimeoutMs: 300 },
      { transport, clock, scheduler, random },
    );
    const kv = keyValueClient(client);
    await world.runUntilSettled(kv.put("k", bytes("v")));
    for (const { id } of members.slice(0, 1)) world.process(`n${id}`).crash();
    const reads = Promise.all(Array.from({ length: 6 }, () => kv.get("k")));
    expect((await world.runUntilSettled(reads)).map(text)).toEqual(["v", "v", "v", "v", "v", "v"]);
  });

  it("refuses a command over the limit the same on every node", async () => {
    const { world, nodes } = await start(30);
    for (const node of nodes) {
      const refused = node.propose(new Uint8Array(17 * 1024 * 1024)).catch((error: unknown) => error);
      expect(await world.runUntilSettled(refused)).toMatchObject({ code: "OCTOPII_CORE_TOO_LARGE", outcome: "failed" });
    }
  });

  it("closes everything though its disk has failed", async () => {
    const { world, follower, leader } = await start(31);
    const node = follower();
    const { disk } = world.process(`n${node.id}`);
    disk.failNext("write", { code: "EIO", times: Number.POSITIVE_INFINITY });
    await world.runUntilSettled(keyValueClient(leader()).put("k", bytes("v")));
    await world.runUntil(() => node.status().role === "stopped");
    await world.runUntilSettled(node.close().catch(() => undefined));
    disk.faults.hook = null;
    expect(disk.openFiles).toBe(0);
  });

  it("serves clients that are no members, through whichever member answers", async () => {
    const { world, nodes, leader } = await start(3);
    const process = world.process("client");
    const { transport, clock, scheduler, random } = process;
    const client = createClient({ addresses: members.map(({ address }) => address) }, { transport, clock, scheduler, random });
    const kv = keyValueClient(client);
    await world.runUntilSettled(kv.put("k", bytes("v")));
    world.process(`n${leader().id}`).crash();
    expect(text(await world.runUntilSettled(kv.get("k")))).toBe("v");
    const alive = nodes.find((node) => world.process(`n${node.id}`).state !== "dead");
    const address = `n${String(alive?.id)}:7000`;
    expect(await world.runUntilSettled(client.status(address))).toMatchObject({ id: alive?.id, cluster: "test", address });
    await world.runUntilSettled(client.close());
    await expect(client.status(address)).rejects.toMatchObject({ code: "OCTOPII_CORE_NOT_RUNNING" });
  });

  it("takes a burst on a follower that is larger than a frame between nodes may be", async () => {
    const tuning = { entryBytesMax: 64 * 1024, appendBytesMax: 64 * 1024 };
    const { world, follower } = await start(7, keyValueStore, tuning);
    const store = keyValueClient(follower());
    const calls = Array.from({ length: 300 }, (_, i) => store.put(`k${i}`, new Uint8Array(1024)));
    expect(await world.runUntilSettled(Promise.all(calls))).toHaveLength(300);
    expect(await world.runUntilSettled(store.keys())).toHaveLength(300);
  });

  it("gives a rejection to its caller, on the leader and through a follower, and goes on (RULE 9)", async () => {
    const picky = (): StateMachine => ({
      apply: (command) => {
        if (command.length === 0) throw new Rejection("Empty commands are not liked.");
        return command;
      },
      query: (request) => request,
    });
    const { world, leader, follower } = await start(4, picky);
    for (const node of [leader(), follower()]) {
      const refused = node.propose(new Uint8Array()).catch((error: unknown) => error);
      expect(await world.runUntilSettled(refused)).toMatchObject({
        code: "OCTOPII_CORE_REJECTED",
        message: "Empty commands are not liked.",
      });
      expect(text(await world.runUntilSettled(node.propose(bytes("fine"))))).toBe("fine");
    }
  });

  it("stops at a command on which the state machine breaks, names it, and loses nothing (RULE 9)", async () => {
    const fragile = (): StateMachine => ({
      apply: (command) => {
        if (text(command) === "poison") throw new TypeError("cannot read properties of undefined");
        return command;
      },
      query: (request) => request,
    });
    const { world, nodes, events, leader } = await start(5, fragile);
    await world.runUntilSettled(leader().propose(bytes("fine")));
    const refused = leader()
      .propose(bytes("poison"))
      .catch((error: unknown) => error);
    expect(await world.runUntilSettled(refused)).toMatchObject({ code: "OCTOPII_CORE_NOT_RUNNING", outcome: "unknown" });
    // The next leader commits it with its own first entry, and stops as well; the last one alone has no quorum to learn of it.
    await world.runUntil(() => nodes.filter((node) => node.status().role === "stopped").length === 2);
    const stopped = events.flat().filter((event) => event.type === "stopped");
    expect(stopped).toHaveLength(2);
    for (const { error } of stopped) expect(String(error)).toMatch(/threw at entry 3 of term \d+: cannot read properties/);
    for (const node of nodes) expect(node.status().appliedIndex).toBe(2);
  });

  it("tells a caller without a quorum that it did not happen, or may have", async () => {
    const { world, leader } = await start(6);
    const node = leader();
    for (const { id } of members) if (id !== node.id) world.process(`n${id}`).crash();
    const doubtful = node.propose(bytes("x"), { timeoutMs: 300 }).catch((error: unknown) => error);
    expect(await world.runUntilSettled(doubtful)).toMatchObject({ code: "OCTOPII_CORE_TIMEOUT", outcome: "unknown" });
    await world.runUntil(() => node.status().leaderId === 0);
    const refused = node.propose(bytes("y"), { timeoutMs: 300 }).catch((error: unknown) => error);
    expect(await world.runUntilSettled(refused)).toMatchObject({ code: "OCTOPII_CORE_UNAVAILABLE", outcome: "failed" });
  });
});

describe("a node's start", () => {
  it("refuses the directory of another node or cluster, and changes no byte of it", async () => {
    const { world, nodes } = await start(7);
    await world.runUntilSettled(Promise.all(nodes.map((node) => node.close())));
    const first = world.process("n1");
    const before = first.disk.durableImage();
    const start1 = async (id: number, cluster: string): Promise<unknown> => {
      const process = world.process("n1");
      process.kill();
      const node = nodeIn(process.restart(), id, keyValueStore(), [], { cluster });
      return world.runUntilSettled(node.start().catch((error: unknown) => error));
    };
    expect(await start1(2, "test")).toMatchObject({
      code: "OCTOPII_CORE_DIRECTORY_FOREIGN",
      message: expect.stringContaining("belongs to node 1 of cluster test, not to node 2"),
    });
    expect(await start1(1, "other")).toMatchObject({ code: "OCTOPII_CORE_DIRECTORY_FOREIGN" });
    expect(world.process("n1").disk.durableImage()).toEqual(before);
  });

  it("refuses an address in use with one sentence, and claims nothing", async () => {
    const world = createSimulation({ seed: 8 });
    const process = world.process("n1", identityOf(1));
    await world.runUntilSettled(process.createTransport().listen({ address: "n1:7000", onConnection: () => undefined }));
    const node = nodeIn(process, 1, keyValueStore());
    await expect(world.runUntilSettled(node.start())).rejects.toMatchObject({
      code: "OCTOPII_CORE_ADDRESS_IN_USE",
      message: expect.stringContaining("n1:7000"),
    });
    expect(process.disk.durableImage().size).toBe(0);
  });

  it("refuses a damaged log and leaves every byte as it was", async () => {
    const { world, nodes, leader } = await start(9);
    for (let i = 0; i < 5; i++) await world.runUntilSettled(keyValueClient(leader()).put(`k${i}`, bytes("value")));
    await world.runUntilSettled(Promise.all(nodes.map((node) => node.close())));
    const process = world.process("n1");
    process.kill();
    const path = [...process.disk.durableImage().keys()].find((name) => name.endsWith(".wal")) ?? "";
    process.disk.flipByte(path, 200, 0x10);
    const before = process.disk.durableImage();
    const node = nodeIn(process.restart(), 1, keyValueStore());
    await expect(world.runUntilSettled(node.start())).rejects.toMatchObject({ code: "OCTOPII_WALRUS_CORRUPT" });
    expect(process.disk.durableImage()).toEqual(before);
  });
});
